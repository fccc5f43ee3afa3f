// Applies manifests as `kubectl apply` does, so that kubectl can go on from there: what was asked for is kept in
// kubectl's own annotation, and applying the same again changes nothing.
import { isNotFound } from '../api/errors.ts';
import type { KubeObject, Stored } from '../api/objects.ts';
import { groupResourceOf } from '../api/resource.ts';
import type { Client } from '../client/client.ts';
import type { KnownManifest } from './manifests.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const FIELD_MANAGER = 'stead';

export interface Applied {
  object: Stored;
  manifest: KnownManifest;
  outcome: 'created' | 'configured' | 'unchanged';
}

/** `statefulset.apps/web`: how kubectl names what it reports on. */
export function displayName({ manifest, object }: Applied): string {
  const { group, singular } = manifest.resource;
  return `${groupResourceOf({ group, plural: singular })}/${object.metadata.name}`;
}

/**
 * Applies one object (server-side apply, conflicts taken over: whoever types the command means it).
 * @throws StatusError as the API answers.
 */
export async function apply(client: Client, manifest: KnownManifest): Promise<Applied> {
  const { resource } = manifest;
  const body = withLastApplied(inNamespace(manifest));
  const key = { namespace: body.metadata.namespace, name: body.metadata.name ?? '' };
  const before = await client.get(resource, key).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  const object = await client.patch(resource, key, {
    type: 'apply',
    body,
    fieldManager: FIELD_MANAGER,
    force: true,
  });
  const unchanged = before?.metadata.resourceVersion === object.metadata.resourceVersion;
  return { object, manifest, outcome: before ? (unchanged ? 'unchanged' : 'configured') : 'created' };
}

function inNamespace({ object, resource }: KnownManifest): KubeObject {
  if (!resource.namespaced) return object;
  const namespace = object.metadata.namespace ?? 'default';
  return { ...object, metadata: { ...object.metadata, namespace } };
}

function withLastApplied(object: KubeObject): KubeObject {
  const { [LAST_APPLIED]: _, ...annotations } = object.metadata.annotations ?? {};
  const asked = { ...object, metadata: { ...object.metadata, annotations } };
  const text = `${JSON.stringify(sorted(asked))}\n`;
  return { ...asked, metadata: { ...asked.metadata, annotations: { ...annotations, [LAST_APPLIED]: text } } };
}

/** Keys in order, as kubectl writes the annotation. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, child]) => [key, sorted(child)]));
}
