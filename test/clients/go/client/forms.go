// Protobuf and JSON say the same.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

// Every object of every kind that is there reads the same in protobuf and in JSON.
func sameInBothForms(ctx context.Context, client rest.Interface, other kubernetes.Interface) error {
	lists, err := other.Discovery().ServerPreferredResources()
	if err != nil {
		return err
	}
	compared := 0
	for _, group := range lists {
		for _, resource := range group.APIResources {
			gv, _ := schema.ParseGroupVersion(group.GroupVersion)
			kind := gv.WithKind(resource.Kind + "List")
			object, err := scheme.Scheme.New(kind)
			// The nodes of a running system change all the time.
			if err != nil || !slices.Contains(resource.Verbs, "list") || resource.Name == "nodes" {
				continue
			}
			prefix := "/apis/" + group.GroupVersion
			if gv.Group == "" {
				prefix = "/api/v1"
			}
			path := prefix + "/" + resource.Name
			var same runtime.Object
			// What changes between the two lists is asked for again, into new ones: JSON leaves what an item of the last had.
			err = until(ctx, func(ctx context.Context) (bool, error) {
				object, _ = scheme.Scheme.New(kind)
				same, _ = scheme.Scheme.New(kind)
				if err := decodeInto(ctx, client, path, protobuf, object); err != nil {
					return false, err
				}
				if err := decodeInto(ctx, client, path, "application/json", same); err != nil {
					return false, err
				}
				return apiequality.Semantic.DeepEqual(items(object), items(same)), nil
			})
			if err != nil {
				return fmt.Errorf("%s: %w:\n%s\n%s", path, err, text(object), text(same))
			}
			compared++
		}
	}
	if compared < 20 {
		return fmt.Errorf("only %d kinds compared", compared)
	}
	return nil
}

func decodeInto(ctx context.Context, client rest.Interface, path string, accept string, into runtime.Object) error {
	raw, err := client.Get().AbsPath(path).SetHeader("Accept", accept).DoRaw(ctx)
	if err != nil {
		return err
	}
	_, _, err = scheme.Codecs.UniversalDeserializer().Decode(raw, nil, into)
	return err
}

// The items, without what says at which moment the list was made, and the kinds that only JSON has in them.
func items(object runtime.Object) []any {
	var parsed struct {
		Items []map[string]any `json:"items"`
	}
	_ = json.Unmarshal([]byte(text(object)), &parsed)
	kept := []any{}
	for _, item := range parsed.Items {
		delete(item, "kind")
		delete(item, "apiVersion")
		meta, _ := item["metadata"].(map[string]any)
		// Leases are renewed in between.
		if name := fmt.Sprint(meta["namespace"]); name == "kube-node-lease" || name == "kube-system" {
			continue
		}
		kept = append(kept, item)
	}
	return kept
}

func text(object runtime.Object) string {
	bytes, _ := json.Marshal(object)
	return string(bytes)
}
