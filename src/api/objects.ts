// The shape every Kubernetes object shares, and the few questions asked of any object: what is its key, who
// controls it, is it going away.
import type { ObjectMeta, OwnerReference } from './generated/types.ts';

/** Any object that the API serves. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** What the API server gives to every object that it stores. */
export interface StoredMeta extends ObjectMeta {
  name: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
}

/** An object as the API returns it: named, versioned, and frozen. Copy it before you change it. */
export type Stored<T extends KubeObject = KubeObject> = T & { metadata: StoredMeta };

/** Names one object of a resource; cluster-scoped ones have no namespace. */
export interface ObjectKey {
  namespace?: string | undefined;
  name: string;
}

declare const isNamespacedName: unique symbol;

/** `namespace/name`, or `name` for cluster-scoped objects: how queues, indexes and logs name an object. */
export type NamespacedName = string & { readonly [isNamespacedName]: true };

/** Writes a key as text. */
export function nameOf({
  namespace,
  name,
}: {
  namespace?: string | undefined;
  name?: string | undefined;
}): NamespacedName {
  // The one place where a text becomes a NamespacedName.
  return (namespace ? `${namespace}/${name}` : `${name}`) as NamespacedName;
}

/** The key of an object as text. */
export function keyOf(object: KubeObject): NamespacedName {
  return nameOf(object.metadata);
}

/** Reads what `nameOf` wrote. */
export function parseKey(key: string): ObjectKey {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The owner reference with `controller: true`, if there is one (`metav1.GetControllerOf`). */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

/** Whether deletion has been requested; the object lives on until its finalizers and grace period are through. */
export function isTerminating(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}
