// Clients that know no types: of metadata alone, and of objects made of maps.
package main

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

func metadataOnly(ctx context.Context, config *rest.Config) error {
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}
	namespaces := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"})
	list, err := namespaces.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	if len(list.Items) < 3 || list.Items[0].UID == "" {
		return fmt.Errorf("namespaces: %+v", list)
	}
	watch, err := namespaces.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		return err
	}
	defer watch.Stop()
	_, err = namespaces.Patch(ctx, "default", types.MergePatchType, []byte(`{"metadata":{"labels":{"seen":"yes"}}}`), metav1.PatchOptions{})
	if err != nil {
		return err
	}
	select {
	case event := <-watch.ResultChan():
		if seen, ok := event.Object.(*metav1.PartialObjectMetadata); !ok || seen.Labels["seen"] != "yes" {
			return fmt.Errorf("saw %+v", event.Object)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A dynamic client that knows no types, led by discovery: kinds are mapped to resources, objects made of maps are
// created, applied, changed, watched and deleted.
func dynamically(ctx context.Context, config *rest.Config) error {
	cached := memory.NewMemCacheClient(discovery.NewDiscoveryClientForConfigOrDie(config))
	mapper := restmapper.NewShortcutExpander(restmapper.NewDeferredDiscoveryRESTMapper(cached), cached, nil)
	for kind, want := range map[schema.GroupKind]string{
		{Group: "apps", Kind: "StatefulSet"}:                      "apps/v1, statefulsets, namespace",
		{Kind: "PersistentVolume"}:                                "/v1, persistentvolumes, root",
		{Group: "policy", Kind: "PodDisruptionBudget"}:            "policy/v1, poddisruptionbudgets, namespace",
		{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}: "rbac.authorization.k8s.io/v1, clusterroles, root",
		{Group: "storage.k8s.io", Kind: "StorageClass"}:           "storage.k8s.io/v1, storageclasses, root",
	} {
		mapping, err := mapper.RESTMapping(kind)
		if err != nil {
			return err
		}
		got := fmt.Sprintf("%s, %s, %s", mapping.Resource.GroupVersion(), mapping.Resource.Resource, mapping.Scope.Name())
		if mapping.Resource.Group == "" {
			got = "/" + got
		}
		if got != want {
			return fmt.Errorf("%v is %s, not %s", kind, got, want)
		}
	}
	if full, err := mapper.ResourceFor(schema.GroupVersionResource{Resource: "sts"}); err != nil || full.Resource != "statefulsets" {
		return fmt.Errorf("sts is %v: %v", full, err)
	}
	client := dynamic.NewForConfigOrDie(config)
	maps := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace("default")
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "dynamic"}, "data": map[string]any{"a": "1"},
	}}
	created, err := maps.Create(ctx, object, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	watch, err := maps.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=dynamic", ResourceVersion: created.GetResourceVersion()})
	if err != nil {
		return err
	}
	defer watch.Stop()
	_ = unstructured.SetNestedField(object.Object, "2", "data", "b")
	if _, err := maps.Apply(ctx, "dynamic", object, metav1.ApplyOptions{FieldManager: "dynamic", Force: true}); err != nil {
		return err
	}
	if _, err := maps.Patch(ctx, "dynamic", types.JSONPatchType, []byte(`[{"op":"remove","path":"/data/a"}]`), metav1.PatchOptions{}); err != nil {
		return err
	}
	if err := maps.Delete(ctx, "dynamic", metav1.DeleteOptions{}); err != nil {
		return err
	}
	for _, want := range []string{"MODIFIED map[a:1 b:2]", "MODIFIED map[b:2]", "DELETED map[b:2]"} {
		select {
		case event := <-watch.ResultChan():
			seen, ok := event.Object.(*unstructured.Unstructured)
			if !ok {
				return fmt.Errorf("saw %+v", event.Object)
			}
			data, _, _ := unstructured.NestedStringMap(seen.Object, "data")
			if got := fmt.Sprint(event.Type, " ", data); got != want {
				return fmt.Errorf("saw %s, not %s", got, want)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
