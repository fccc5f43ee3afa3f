// The program drives an API server the way Go programs do: a typed client that speaks protobuf, an informer,
// server-side apply, leader election, metadata-only and dynamic clients. It prints a line for every step, and ends with
// the first one that fails.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/util/retry"
)

const protobuf = "application/vnd.kubernetes.protobuf"

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	must("kubeconfig", err)
	config.UserAgent = "go-client/1.0"
	config.QPS = -1
	jsonClient := kubernetes.NewForConfigOrDie(config)
	binary := rest.CopyConfig(config)
	binary.ContentType = protobuf
	binary.AcceptContentTypes = protobuf // no fallback: JSON would be an error
	client := kubernetes.NewForConfigOrDie(binary)

	step("typed", typed(ctx, client))
	step("informer", informer(ctx, client))
	step("apply", apply(ctx, client))
	step("same in both forms", sameInBothForms(ctx, client.Discovery().RESTClient(), jsonClient))
	step("metadata only", metadataOnly(ctx, binary))
	step("leader election", elect(ctx, client))
}

func step(name string, err error) {
	must(name, err)
	fmt.Println("ok", name)
}

func must(name string, err error) {
	if err == nil {
		return
	}
	fmt.Printf("failed %s: %v\n", name, err)
	os.Exit(1)
}

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
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
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
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
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

// An informer lists and watches; it sees an object come, change and go.
func informer(ctx context.Context, client kubernetes.Interface) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace("default"))
	maps := factory.Core().V1().ConfigMaps().Informer()
	events := make(chan string, 100)
	about := func(what string, object any) {
		if seen, ok := object.(*corev1.ConfigMap); ok && seen.Name == "watched" {
			events <- what + seen.Data["key"]
		}
	}
	_, err := maps.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { about("added", object) },
		UpdateFunc: func(_, object any) { about("updated", object) },
		DeleteFunc: func(object any) { about("deleted", object) },
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), maps.HasSynced) {
		return errors.New("not synced")
	}
	api := client.CoreV1().ConfigMaps("default")
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "watched"}, Data: map[string]string{"key": "1"}}
	created, err := api.Create(ctx, object, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	created.Data["key"] = "2"
	if _, err := api.Update(ctx, created, metav1.UpdateOptions{}); err != nil {
		return err
	}
	if err := api.Delete(ctx, "watched", metav1.DeleteOptions{}); err != nil {
		return err
	}
	for _, want := range []string{"added1", "updated2", "deleted2"} {
		select {
		case got := <-events:
			if got != want {
				return fmt.Errorf("saw %s, not %s", got, want)
			}
		case <-ctx.Done():
			return fmt.Errorf("never saw %s", want)
		}
	}
	return nil
}

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
			object, err := scheme.Scheme.New(gv.WithKind(resource.Kind + "List"))
			// The nodes of a running system change all the time.
			if err != nil || !contains(resource.Verbs, "list") || resource.Name == "nodes" {
				continue
			}
			prefix := "/apis/" + group.GroupVersion
			if gv.Group == "" {
				prefix = "/api/v1"
			}
			path := prefix + "/" + resource.Name
			if err := decodeInto(ctx, client, path, protobuf, object); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			same, _ := scheme.Scheme.New(gv.WithKind(resource.Kind + "List"))
			if err := decodeInto(ctx, client, path, "application/json", same); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if !apiequality.Semantic.DeepEqual(items(object), items(same)) {
				return fmt.Errorf("%s differs:\n%s\n%s", path, text(object), text(same))
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

func contains(list []string, wanted string) bool {
	for _, each := range list {
		if each == wanted {
			return true
		}
	}
	return false
}

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

// The first candidate leads; the second when the first steps back.
func elect(ctx context.Context, client kubernetes.Interface) error {
	led := make(chan string, 2)
	run := func(ctx context.Context, name string) {
		lock := &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Name: "leader", Namespace: "default"},
			Client:     client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: name},
		}
		leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
			Lock: lock, ReleaseOnCancel: true,
			LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(context.Context) { led <- name },
				OnStoppedLeading: func() {},
			},
		})
	}
	first, stepBack := context.WithCancel(ctx)
	defer stepBack()
	go run(first, "first")
	if name := <-led; name != "first" {
		return fmt.Errorf("%s leads", name)
	}
	second, end := context.WithCancel(ctx)
	defer end()
	go run(second, "second")
	stepBack()
	select {
	case <-led:
	case <-ctx.Done():
		return errors.New("nobody took over")
	}
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		lease, err := client.CoordinationV1().Leases("default").Get(ctx, "leader", metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		return lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity == "second", nil
	})
}
