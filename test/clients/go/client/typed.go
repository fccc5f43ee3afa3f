// The verbs of the typed client.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// The set's controller writes its status all the time while its pods start: more tries than client-go's own.
var patiently = wait.Backoff{Steps: 50, Duration: 10 * time.Millisecond}

func set(name string) *appsv1.StatefulSet {
	replicas := int32(2)
	labels := map[string]string{"app": name}
	return &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.StatefulSetSpec{
			ServiceName: name,
			Replicas:    &replicas,
			Selector:    &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "example/main:1"}}},
			},
		},
	}
}

// Create, read, update with conflicts, patch, list with selectors and pages, watch, delete, refusals.
func typed(ctx context.Context, client kubernetes.Interface) error {
	sets := client.AppsV1().StatefulSets("default")
	created, err := sets.Create(ctx, set("typed"), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if created.Spec.UpdateStrategy.Type != appsv1.RollingUpdateStatefulSetStrategyType || created.UID == "" {
		return fmt.Errorf("not defaulted: %+v", created)
	}
	if entries := created.ManagedFields; len(entries) != 1 || entries[0].Manager != "go-client" {
		return fmt.Errorf("owners: %+v", entries)
	}
	if _, err := sets.Create(ctx, set("typed"), metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("created twice: %v", err)
	}
	if _, err := sets.Get(ctx, "none", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return fmt.Errorf("got what is not there: %v", err)
	}
	wrong := set("wrong")
	wrong.Spec.Template.Labels = nil
	_, err = sets.Create(ctx, wrong, metav1.CreateOptions{})
	var status *apierrors.StatusError
	if !errors.As(err, &status) || !apierrors.IsInvalid(err) || len(status.ErrStatus.Details.Causes) == 0 {
		return fmt.Errorf("invalid object: %v", err)
	}
	old := created.DeepCopy()
	err = retry.RetryOnConflict(patiently, func() error {
		current, err := sets.Get(ctx, "typed", metav1.GetOptions{})
		if err != nil {
			return err
		}
		current.Annotations = map[string]string{"a": "b"}
		_, err = sets.Update(ctx, current, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		return err
	}
	old.Annotations = map[string]string{"a": "c"}
	if _, err := sets.Update(ctx, old, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		return fmt.Errorf("updated an old version: %v", err)
	}
	patch := []byte(`{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"example/main:2"}]}}}}`)
	patched, err := sets.Patch(ctx, "typed", types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return err
	}
	if patched.Spec.Template.Spec.Containers[0].Image != "example/main:2" {
		return fmt.Errorf("not patched: %+v", patched.Spec)
	}
	// The controller writes the set's status meanwhile, which a scale that was read before does not know.
	err = retry.RetryOnConflict(patiently, func() error {
		scale, err := sets.GetScale(ctx, "typed", metav1.GetOptions{})
		if err != nil {
			return err
		}
		scale.Spec.Replicas = 3
		_, err = sets.UpdateScale(ctx, "typed", scale, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		return err
	}
	if err := pages(ctx, client); err != nil {
		return err
	}
	return sets.Delete(ctx, "typed", metav1.DeleteOptions{})
}

func pages(ctx context.Context, client kubernetes.Interface) error {
	maps := client.CoreV1().ConfigMaps("default")
	for index := range 5 {
		object := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "page-", Labels: map[string]string{"page": "yes"}},
			Data:       map[string]string{"index": fmt.Sprint(index)},
			BinaryData: map[string][]byte{"bytes": {0, 255}},
		}
		if _, err := maps.Create(ctx, object, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	seen, options := 0, metav1.ListOptions{LabelSelector: "page=yes", Limit: 2}
	for {
		page, err := maps.List(ctx, options)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			if len(item.BinaryData["bytes"]) != 2 {
				return fmt.Errorf("bytes: %+v", item)
			}
		}
		seen += len(page.Items)
		if options.Continue = page.Continue; options.Continue == "" {
			break
		}
	}
	if seen != 5 {
		return fmt.Errorf("%d of 5 listed", seen)
	}
	return maps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "page=yes"})
}
