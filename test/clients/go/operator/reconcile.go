// The controller: from a ConfigMap to what it owns, and back to a word about it.
package main

import (
	"context"
	"fmt"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/recorder"
)

const (
	databaseLabel = "example.com/database"
	finalizer     = "example.com/farewell"
	ownerIndex    = "database"
)

type reconciler struct {
	client.Client
	events recorder.EventRecorder
}

func setUp(ctx context.Context, manager ctrl.Manager) error {
	byDatabase := func(object client.Object) []string { return []string{object.GetLabels()["database"]} }
	if err := manager.GetFieldIndexer().IndexField(ctx, &corev1.Pod{}, ownerIndex, byDatabase); err != nil {
		return err
	}
	isDatabase, err := predicate.LabelSelectorPredicate(metav1.LabelSelector{MatchLabels: map[string]string{databaseLabel: "yes"}})
	if err != nil {
		return err
	}
	toDatabase := func(_ context.Context, pod client.Object) []ctrl.Request {
		name := pod.GetLabels()["database"]
		if name == "" {
			return nil
		}
		return []ctrl.Request{{NamespacedName: client.ObjectKey{Namespace: pod.GetNamespace(), Name: name}}}
	}
	return ctrl.NewControllerManagedBy(manager).
		For(&corev1.ConfigMap{}, builder.WithPredicates(isDatabase)).
		Owns(&appsv1.StatefulSet{}).
		Owns(&corev1.Service{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(toDatabase)).
		Complete(&reconciler{manager.GetClient(), manager.GetEventRecorder("databases")})
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	database := &corev1.ConfigMap{}
	if err := r.Get(ctx, request.NamespacedName, database); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !database.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, r.farewell(ctx, database)
	}
	if controllerutil.AddFinalizer(database, finalizer) {
		return ctrl.Result{}, r.Update(ctx, database)
	}
	meta := metav1.ObjectMeta{Namespace: request.Namespace, Name: request.Name}
	labels := map[string]string{"database": request.Name}
	service := &corev1.Service{ObjectMeta: meta}
	if _, err := controllerutil.CreateOrUpdate(ctx, r.Client, service, func() error {
		service.Spec.ClusterIP = corev1.ClusterIPNone
		service.Spec.Selector = labels
		return controllerutil.SetControllerReference(database, service, r.Scheme())
	}); err != nil {
		return ctrl.Result{}, err
	}
	replicas, err := strconv.ParseInt(database.Data["replicas"], 10, 32)
	if err != nil {
		return ctrl.Result{}, err
	}
	set := &appsv1.StatefulSet{ObjectMeta: meta}
	if _, err := controllerutil.CreateOrPatch(ctx, r.Client, set, func() error {
		wanted := int32(replicas)
		set.Spec.Replicas = &wanted
		set.Spec.ServiceName = request.Name
		set.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
		set.Spec.Template.Labels = labels
		if len(set.Spec.Template.Spec.Containers) == 0 {
			set.Spec.Template.Spec.Containers = []corev1.Container{{Name: "db", Image: "example/db:1"}}
		}
		return controllerutil.SetControllerReference(database, set, r.Scheme())
	}); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, r.report(ctx, database, set)
}

// Writes down how many pods are ready, if that has changed, and only on the version that was read.
func (r *reconciler) report(ctx context.Context, database *corev1.ConfigMap, set *appsv1.StatefulSet) error {
	said := fmt.Sprintf("%d of %d ready", set.Status.ReadyReplicas, *set.Spec.Replicas)
	if database.Data["phase"] == said {
		return nil
	}
	base := database.DeepCopy()
	database.Data["phase"] = said
	if err := r.Patch(ctx, database, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})); err != nil {
		return err
	}
	if set.Status.ReadyReplicas == *set.Spec.Replicas {
		r.events.Eventf(database, set, corev1.EventTypeNormal, "DatabaseReady", "Report", "%s", said)
	}
	return nil
}

func (r *reconciler) farewell(ctx context.Context, database *corev1.ConfigMap) error {
	note := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: database.Namespace, Name: database.Name + "-farewell"}}
	if err := r.Create(ctx, note); client.IgnoreAlreadyExists(err) != nil {
		return err
	}
	if controllerutil.RemoveFinalizer(database, finalizer) {
		return r.Update(ctx, database)
	}
	return nil
}
