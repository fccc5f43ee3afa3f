// What controllers and administrators do to pods: evictions, and events about objects.
package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"
)

func until(ctx context.Context, condition wait.ConditionWithContextFunc) error {
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 60*time.Second, true, condition)
}

// A budget lets pods go one at a time: an eviction too many is refused with 429, and taken when the set is whole again.
func evict(ctx context.Context, client kubernetes.Interface) error {
	sets, pods := client.AppsV1().StatefulSets("default"), client.CoreV1().Pods("default")
	budgets := client.PolicyV1().PodDisruptionBudgets("default")
	made, err := sets.Create(ctx, set("quorum"), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	most := intstr.FromInt32(1)
	budget := &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: "quorum"},
		Spec:       policyv1.PodDisruptionBudgetSpec{MaxUnavailable: &most, Selector: made.Spec.Selector},
	}
	if _, err := budgets.Create(ctx, budget, metav1.CreateOptions{}); err != nil {
		return err
	}
	if err := until(ctx, func(ctx context.Context) (bool, error) {
		budget, err := budgets.Get(ctx, "quorum", metav1.GetOptions{})
		return err == nil && budget.Status.DisruptionsAllowed == 1 && budget.Status.ExpectedPods == 2, err
	}); err != nil {
		return fmt.Errorf("the budget allows nothing: %w", err)
	}
	eviction := func(name string) *policyv1.Eviction {
		return &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}}
	}
	// Held by a finalizer, the first stays gone while the second is asked for.
	hold := []byte(`{"metadata":{"finalizers":["example.com/hold"]}}`)
	if _, err := pods.Patch(ctx, "quorum-0", "application/merge-patch+json", hold, metav1.PatchOptions{}); err != nil {
		return err
	}
	if err := pods.EvictV1(ctx, eviction("quorum-0")); err != nil {
		return err
	}
	err = pods.EvictV1(ctx, eviction("quorum-1"))
	if !apierrors.IsTooManyRequests(err) || !apierrors.HasStatusCause(err, policyv1.DisruptionBudgetCause) {
		return fmt.Errorf("evicted against the budget: %v", err)
	}
	release := []byte(`{"metadata":{"finalizers":null}}`)
	if _, err := pods.Patch(ctx, "quorum-0", "application/merge-patch+json", release, metav1.PatchOptions{}); err != nil {
		return err
	}
	if err := until(ctx, func(ctx context.Context) (bool, error) {
		err := pods.EvictV1(ctx, eviction("quorum-1"))
		if apierrors.IsTooManyRequests(err) {
			return false, nil
		}
		return err == nil, err
	}); err != nil {
		return err
	}
	if err := budgets.Delete(ctx, "quorum", metav1.DeleteOptions{}); err != nil {
		return err
	}
	foreground := metav1.DeletePropagationForeground
	if err := sets.Delete(ctx, "quorum", metav1.DeleteOptions{PropagationPolicy: &foreground}); err != nil {
		return err
	}
	return until(ctx, func(ctx context.Context) (bool, error) {
		_, err := sets.Get(ctx, "quorum", metav1.GetOptions{})
		if !apierrors.IsNotFound(err) {
			return false, err
		}
		left, err := pods.List(ctx, metav1.ListOptions{LabelSelector: "app=quorum"})
		return err == nil && len(left.Items) == 0, err
	})
}

// A controller's events: written by the recorder, counted up when they repeat, found by the object they regard.
func events(ctx context.Context, client kubernetes.Interface) error {
	object, err := client.CoreV1().ConfigMaps("default").Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "noted"}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	defer broadcaster.Shutdown()
	broadcaster.StartRecordingToSink(&typedcore.EventSinkImpl{Interface: client.CoreV1().Events("")})
	recorder := broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "go-client"})
	for range 3 {
		recorder.Event(object, corev1.EventTypeNormal, "Noted", "once more")
	}
	return until(ctx, func(ctx context.Context) (bool, error) {
		list, err := client.CoreV1().Events("default").Search(scheme.Scheme, object)
		return err == nil && len(list.Items) == 1 && list.Items[0].Count == 3, err
	})
}
