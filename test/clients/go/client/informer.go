// Informers, filled by lists and by streams.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

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

// An informer is filled by a watch that sends what is there first; it never lists. What a label selector, a field
// selector and an index choose is what it holds.
func streamedInformer(ctx context.Context, config *rest.Config) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	asked := &requests{}
	recorded := rest.CopyConfig(config)
	recorded.Wrap(asked.record)
	client := kubernetes.NewForConfigOrDie(recorded)
	api := client.CoreV1().ConfigMaps("default")
	for index := range 20 {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("streamed-%d", index), Labels: map[string]string{"streamed": "yes", "even": fmt.Sprint(index%2 == 0)},
		}}
		if _, err := api.Create(ctx, object, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace("default"),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.LabelSelector = "streamed=yes"
			options.FieldSelector = "metadata.name!=streamed-0"
		}))
	maps := factory.Core().V1().ConfigMaps().Informer()
	even := func(object any) ([]string, error) { return []string{object.(*corev1.ConfigMap).Labels["even"]}, nil }
	if err := maps.AddIndexers(cache.Indexers{"even": even}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), maps.HasSynced) {
		return errors.New("not synced")
	}
	found, err := maps.GetIndexer().ByIndex("even", "true")
	if all := len(maps.GetStore().List()); err != nil || all != 19 || len(found) != 9 {
		return fmt.Errorf("%d held, %d by index: %v", all, len(found), err)
	}
	if !asked.any("watch=true", "sendInitialEvents=true") || asked.any("limit=") {
		return fmt.Errorf("asked: %v", asked.seen)
	}
	return api.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "streamed=yes"})
}

// The GET requests that a client sent.
type requests struct {
	mutex sync.Mutex
	seen  []string
}

func (r *requests) record(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		if request.Method == http.MethodGet {
			r.mutex.Lock()
			r.seen = append(r.seen, request.URL.String())
			r.mutex.Unlock()
		}
		return next.RoundTrip(request)
	})
}

// Whether there was one with all these words.
func (r *requests) any(words ...string) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return slices.ContainsFunc(r.seen, func(url string) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(url, word) })
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }
