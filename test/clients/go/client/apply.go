// Server-side apply by typed configurations, with more than one owner.
package main

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// Two managers apply: a conflict, then force; and what one no longer applies goes.
func apply(ctx context.Context, client kubernetes.Interface) error {
	maps := client.CoreV1().ConfigMaps("default")
	config := func(data map[string]string) *coreapply.ConfigMapApplyConfiguration {
		return coreapply.ConfigMap("applied", "default").WithData(data)
	}
	if _, err := maps.Apply(ctx, config(map[string]string{"a": "1", "b": "1"}), metav1.ApplyOptions{FieldManager: "one"}); err != nil {
		return err
	}
	_, err := maps.Apply(ctx, config(map[string]string{"a": "2"}), metav1.ApplyOptions{FieldManager: "two"})
	if !apierrors.IsConflict(err) {
		return fmt.Errorf("no conflict: %v", err)
	}
	if _, err := maps.Apply(ctx, config(map[string]string{"a": "2"}), metav1.ApplyOptions{FieldManager: "two", Force: true}); err != nil {
		return err
	}
	after, err := maps.Apply(ctx, config(nil), metav1.ApplyOptions{FieldManager: "one"})
	if err != nil {
		return err
	}
	if len(after.Data) != 1 || after.Data["a"] != "2" {
		return fmt.Errorf("after all that: %v", after.Data)
	}
	extracted, err := coreapply.ExtractConfigMap(after, "two")
	if err != nil || extracted.Data["a"] != "2" {
		return fmt.Errorf("extracted: %+v, %v", extracted, err)
	}
	return maps.Delete(ctx, "applied", metav1.DeleteOptions{})
}

// A whole set is applied from a typed configuration: lists are merged by their keys, a second apply changes nothing,
// and a change of another manager is read back with Extract, changed and applied.
func applySet(ctx context.Context, client kubernetes.Interface) error {
	sets := client.AppsV1().StatefulSets("default")
	labels := map[string]string{"app": "whole"}
	container := coreapply.Container().WithName("main").WithImage("example/main:1").
		WithPorts(coreapply.ContainerPort().WithName("http").WithContainerPort(80)).
		WithEnv(coreapply.EnvVar().WithName("ONE").WithValue("1"))
	config := appsapply.StatefulSet("whole", "default").WithLabels(labels).WithSpec(appsapply.StatefulSetSpec().
		WithReplicas(1).WithServiceName("whole").
		WithSelector(metaapply.LabelSelector().WithMatchLabels(labels)).
		WithTemplate(coreapply.PodTemplateSpec().WithLabels(labels).WithSpec(coreapply.PodSpec().WithContainers(container))))
	first, err := sets.Apply(ctx, config, metav1.ApplyOptions{FieldManager: "whole"})
	if err != nil {
		return err
	}
	second, err := sets.Apply(ctx, config, metav1.ApplyOptions{FieldManager: "whole"})
	if err != nil {
		return err
	}
	if first.Generation != 1 || second.Generation != 1 || first.UID != second.UID {
		return fmt.Errorf("applied twice: %+v", second.ObjectMeta)
	}
	sidecar := coreapply.Container().WithName("sidecar").WithImage("example/sidecar:1")
	other := appsapply.StatefulSet("whole", "default").WithSpec(appsapply.StatefulSetSpec().
		WithTemplate(coreapply.PodTemplateSpec().WithSpec(coreapply.PodSpec().WithContainers(sidecar))))
	both, err := sets.Apply(ctx, other, metav1.ApplyOptions{FieldManager: "injector"})
	if err != nil {
		return err
	}
	if names := containerNames(both); !slices.Equal(names, []string{"main", "sidecar"}) {
		return fmt.Errorf("containers: %v", names)
	}
	mine, err := appsapply.ExtractStatefulSet(both, "whole")
	if err != nil {
		return err
	}
	if extracted := mine.Spec.Template.Spec.Containers; len(extracted) != 1 || *extracted[0].Name != "main" {
		return fmt.Errorf("extracted: %+v", extracted)
	}
	mine.Spec.WithReplicas(2)
	if _, err := sets.Apply(ctx, mine, metav1.ApplyOptions{FieldManager: "whole"}); err != nil {
		return err
	}
	// Who scales takes the field; who applied it before is told, and gives it up.
	if err := retry.RetryOnConflict(patiently, func() error {
		scale, err := sets.GetScale(ctx, "whole", metav1.GetOptions{})
		if err != nil {
			return err
		}
		scale.Spec.Replicas = 3
		_, err = sets.UpdateScale(ctx, "whole", scale, metav1.UpdateOptions{FieldManager: "scaler"})
		return err
	}); err != nil {
		return err
	}
	if _, err := sets.Apply(ctx, mine, metav1.ApplyOptions{FieldManager: "whole"}); !apierrors.IsConflict(err) {
		return fmt.Errorf("took the replicas back: %v", err)
	}
	mine.Spec.Replicas = nil
	after, err := sets.Apply(ctx, mine, metav1.ApplyOptions{FieldManager: "whole"})
	if err != nil {
		return err
	}
	if *after.Spec.Replicas != 3 || len(containerNames(after)) != 2 {
		return fmt.Errorf("after all that: %+v", after.Spec)
	}
	return sets.Delete(ctx, "whole", metav1.DeleteOptions{})
}

func containerNames(set *appsv1.StatefulSet) []string {
	names := []string{}
	for _, container := range set.Spec.Template.Spec.Containers {
		names = append(names, container.Name)
	}
	return names
}
