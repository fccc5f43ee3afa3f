// An operator as people write them with controller-runtime: a manager with leader election and caches, and a controller
// that turns a ConfigMap labelled as a database into a Service and a StatefulSet that it owns. The program then behaves
// as the operator's users do, and prints a line for every step, or ends with the first one that fails.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const namespace = "default"

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	ctrl.SetLogger(klog.Background())
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	must("kubeconfig", err)
	config.QPS = -1
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Metrics:                       server.Options{BindAddress: "0"},
		HealthProbeBindAddress:        "0",
		LeaderElection:                true,
		LeaderElectionID:              "databases.example.com",
		LeaderElectionNamespace:       namespace,
		LeaderElectionReleaseOnCancel: true,
	})
	must("manager", err)
	must("controller", setUp(ctx, manager))
	stopped := make(chan error, 1)
	running, stop := context.WithCancel(ctx)
	go func() { stopped <- manager.Start(running) }()
	if !manager.GetCache().WaitForCacheSync(ctx) {
		must("cache", ctx.Err())
	}
	direct, err := client.New(config, client.Options{Scheme: manager.GetScheme()})
	must("client", err)

	step("create", create(ctx, direct, manager.GetClient()))
	step("repair", repair(ctx, direct))
	step("resize", resize(ctx, direct))
	step("subresources", subresources(ctx, direct))
	step("events", recorded(ctx, direct))
	step("delete", remove(ctx, direct))
	step("bulk", bulk(ctx, direct))
	stop()
	step("stop", <-stopped)
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

func until(ctx context.Context, what string, condition wait.ConditionWithContextFunc) error {
	if err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 60*time.Second, true, condition); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

var orders = client.ObjectKey{Namespace: namespace, Name: "orders"}

// What the operator says of the database.
func phase(ctx context.Context, api client.Reader, want string) error {
	seen := ""
	err := until(ctx, "phase "+want, func(ctx context.Context) (bool, error) {
		database := &corev1.ConfigMap{}
		err := api.Get(ctx, orders, database)
		seen = database.Data["phase"]
		return seen == want, err
	})
	if err != nil {
		return fmt.Errorf("%w; last seen %q", err, seen)
	}
	return nil
}

func create(ctx context.Context, api client.Client, cached client.Client) error {
	database := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: orders.Name, Labels: map[string]string{databaseLabel: "yes"}},
		Data:       map[string]string{"replicas": "2"},
	}
	if err := api.Create(ctx, database); err != nil {
		return err
	}
	if err := phase(ctx, api, "2 of 2 ready"); err != nil {
		return err
	}
	// The manager's client answers from its cache, by an index of the program's own.
	return until(ctx, "pods by index", func(ctx context.Context) (bool, error) {
		pods := &corev1.PodList{}
		err := cached.List(ctx, pods, client.InNamespace(namespace), client.MatchingFields{ownerIndex: orders.Name})
		return len(pods.Items) == 2, err
	})
}

// What the operator owns comes back when it is deleted.
func repair(ctx context.Context, api client.Client) error {
	service := &corev1.Service{}
	if err := api.Get(ctx, orders, service); err != nil {
		return err
	}
	if err := api.Delete(ctx, service, client.Preconditions{UID: &service.UID}); err != nil {
		return err
	}
	return until(ctx, "a new Service", func(ctx context.Context) (bool, error) {
		fresh := &corev1.Service{}
		err := api.Get(ctx, orders, fresh)
		return err == nil && fresh.UID != service.UID, client.IgnoreNotFound(err)
	})
}

// A user applies a new size, as one of two owners of the object.
func resize(ctx context.Context, api client.Client) error {
	wanted := coreapply.ConfigMap(orders.Name, namespace).WithData(map[string]string{"replicas": "3"})
	err := api.Apply(ctx, wanted, client.FieldOwner("user"))
	if !apierrors.IsConflict(err) {
		return fmt.Errorf("no conflict: %v", err)
	}
	if err := api.Apply(ctx, wanted, client.FieldOwner("user"), client.ForceOwnership); err != nil {
		return err
	}
	return phase(ctx, api, "3 of 3 ready")
}

func subresources(ctx context.Context, api client.Client) error {
	set := &appsv1.StatefulSet{}
	if err := api.Get(ctx, orders, set); err != nil {
		return err
	}
	scale := &autoscalingv1.Scale{}
	if err := api.SubResource("scale").Get(ctx, set, scale); err != nil {
		return err
	}
	if scale.Spec.Replicas != 3 || scale.Status.Selector == "" {
		return fmt.Errorf("scale: %+v", scale)
	}
	pod := &corev1.Pod{}
	if err := api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "orders-2"}, pod); err != nil {
		return err
	}
	base := pod.DeepCopy()
	pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: "example.com/checked", Status: corev1.ConditionTrue})
	if err := api.Status().Patch(ctx, pod, client.StrategicMergeFrom(base)); err != nil {
		return err
	}
	if count := len(pod.Status.Conditions); count != len(base.Status.Conditions)+1 {
		return fmt.Errorf("%d conditions", count)
	}
	return api.SubResource("eviction").Create(ctx, pod, &policyv1.Eviction{})
}

func recorded(ctx context.Context, api client.Client) error {
	return until(ctx, "the operator's event", func(ctx context.Context) (bool, error) {
		events := &eventsv1.EventList{}
		err := api.List(ctx, events, client.InNamespace(namespace), client.MatchingFields{"reason": "DatabaseReady"})
		return len(events.Items) > 0 && events.Items[0].ReportingController == "databases", err
	})
}

// A finalizer lets the operator clean up first; then the garbage collector takes what it owned.
func remove(ctx context.Context, api client.Client) error {
	database := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: orders.Name}}
	if err := api.Delete(ctx, database); err != nil {
		return err
	}
	if err := until(ctx, "nothing left", func(ctx context.Context) (bool, error) {
		for _, object := range []client.Object{&corev1.ConfigMap{}, &appsv1.StatefulSet{}, &corev1.Service{}} {
			if err := api.Get(ctx, orders, object); !apierrors.IsNotFound(err) {
				return false, err
			}
		}
		pods := &corev1.PodList{}
		err := api.List(ctx, pods, client.InNamespace(namespace), client.MatchingLabels{"database": orders.Name})
		return len(pods.Items) == 0, err
	}); err != nil {
		return err
	}
	farewell := &corev1.ConfigMap{}
	return api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: orders.Name + "-farewell"}, farewell)
}

// Lists page by page, of whole objects, of metadata and of objects without a type; and a whole collection is deleted.
func bulk(ctx context.Context, api client.Client) error {
	labels := client.MatchingLabels{"bulk": "yes"}
	for index := range 7 {
		object := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("bulk-%d", index), Labels: labels}}
		if err := api.Create(ctx, object); err != nil {
			return err
		}
	}
	page, rest := &corev1.SecretList{}, &metav1.PartialObjectMetadataList{}
	if err := api.List(ctx, page, client.InNamespace(namespace), labels, client.Limit(3)); err != nil {
		return err
	}
	rest.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	if err := api.List(ctx, rest, client.InNamespace(namespace), labels, client.Limit(10), client.Continue(page.Continue)); err != nil {
		return err
	}
	if len(page.Items) != 3 || len(rest.Items) != 4 || rest.Items[0].Name != "bulk-3" {
		return fmt.Errorf("pages of %d and %d", len(page.Items), len(rest.Items))
	}
	if err := api.DeleteAllOf(ctx, &corev1.Secret{}, client.InNamespace(namespace), labels); err != nil {
		return err
	}
	err := api.List(ctx, page, client.InNamespace(namespace), labels)
	if len(page.Items) != 0 {
		return fmt.Errorf("%d left", len(page.Items))
	}
	return err
}
