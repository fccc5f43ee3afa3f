// The program drives an API server the way Go programs do, with client-go alone: typed clients that speak protobuf and
// JSON, informers, server-side apply, leader election, metadata-only and dynamic clients, discovery, evictions, tokens,
// retries. It prints a line for every step, and ends with the first one that fails.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
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
	step("streamed informer", streamedInformer(ctx, binary))
	step("apply", apply(ctx, client))
	step("apply a set", applySet(ctx, client))
	step("same in both forms", sameInBothForms(ctx, client.Discovery().RESTClient(), jsonClient))
	step("metadata only", metadataOnly(ctx, binary))
	step("dynamically", dynamically(ctx, config))
	step("as a service account", asServiceAccount(ctx, config, client))
	step("evict", evict(ctx, client))
	step("events", events(ctx, client))
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
