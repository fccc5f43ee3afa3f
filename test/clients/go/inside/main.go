// A program that runs in a pod and speaks to the API from there, as operators do: it is told nothing, and finds the API,
// the authority to trust and its token where every pod has them. It lists the pods of its namespace, is elected, and
// copies what ConfigMaps labelled as questions ask into their answers. It prints a line for every step, and goes on until
// it is stopped.
package main

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const label = "example.com/question"

func main() {
	ctrl.SetLogger(klog.Background())
	config, err := rest.InClusterConfig()
	must("configuration", err)
	step("configuration", config.Host)
	namespace, err := os.ReadFile("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
	must("namespace", err)
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Metrics:                 server.Options{BindAddress: "0"},
		HealthProbeBindAddress:  "0",
		LeaderElection:          true,
		LeaderElectionID:        "answers.example.com",
		LeaderElectionNamespace: string(namespace),
		Cache:                   cache.Options{DefaultNamespaces: map[string]cache.Config{string(namespace): {}}},
	})
	must("manager", err)

	pods := &corev1.PodList{}
	must("pods", manager.GetAPIReader().List(context.Background(), pods, client.InNamespace(string(namespace))))
	for _, pod := range pods.Items {
		step("pod", pod.Name)
	}

	asked := predicate.NewPredicateFuncs(func(object client.Object) bool { return object.GetLabels()[label] != "" })
	answer := func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		question := &corev1.ConfigMap{}
		if err := manager.GetClient().Get(ctx, request.NamespacedName, question); err != nil {
			return reconcile.Result{}, client.IgnoreNotFound(err)
		}
		if question.Data["answer"] == question.Data["question"] {
			return reconcile.Result{}, nil
		}
		question.Data["answer"] = question.Data["question"]
		err := manager.GetClient().Update(ctx, question)
		if err == nil {
			step("answer", question.Data["answer"])
		}
		return reconcile.Result{}, err
	}
	must("controller", ctrl.NewControllerManagedBy(manager).
		For(&corev1.ConfigMap{}, builder.WithPredicates(asked)).
		Complete(reconcile.Func(answer)))
	go func() {
		<-manager.Elected()
		step("elected", "")
	}()
	must("run", manager.Start(ctrl.SetupSignalHandler()))
}

func step(name string, what string) { fmt.Println("ok", name, what) }

func must(name string, err error) {
	if err != nil {
		fmt.Printf("failed %s: %v\n", name, err)
		os.Exit(1)
	}
}
