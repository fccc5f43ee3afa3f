// PATCH: a new version made of the stored one and a patch, then the same pipeline as PUT. Server-side apply creates
// the object when it is not there. Follows apiserver pkg/endpoints/handlers/patch.go.
import { conflict, invalid, required, unsupportedMediaType } from '../../api/errors.ts';
import type { KubeObject } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import type { Pipeline } from '../admission/pipeline.ts';
import { requireFewParts } from '../object-size.ts';
import { applyPatch } from '../patch/patch.ts';
import type { ApplyOptions } from '../patch/server-side-apply.ts';
import type { Registry } from '../registry.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { createOne } from './create.ts';
import { decodePatched } from './patch-validation.ts';
import { keyOfRequest } from './request-key.ts';
import { requireSameName, rewrite } from './update.ts';

export async function patch(pipeline: Pipeline, request: ApiRequest): Promise<ApiResult> {
  const { resource, patchType, subresource, body } = request;
  if (!patchType) throw unsupportedMediaType('the patch has no type: say so in Content-Type');
  // A list of operations has limits of its own.
  if (patchType !== 'json') requireFewParts(resource, body);
  const key = keyOfRequest(request);
  const { registry } = pipeline;
  const type = registry.typeOf(resource);
  const apply = patchType === 'apply' ? applyOptions(registry, request) : undefined;
  if (apply && !subresource && !(await registry.find(resource, key))) {
    await request.authorizeCreate?.();
    const applied = applyPatch(patchType, type, { metadata: {} }, body, apply);
    refuseUid(resource, key.name, applied);
    const { object, warnings } = decodePatched(type, request, applied);
    requireSameName(resource, key, object);
    return createOne(pipeline, request, object, warnings);
  }
  const part = subresource === 'status' ? 'status' : 'object';
  return rewrite(pipeline, request, part, (current) => {
    const { resourceVersion, ...unversioned } = current.metadata;
    // Patches may test the version; an applied configuration has none to compare with.
    const metadata = apply ? unversioned : current.metadata;
    const patched = applyPatch(patchType, type, { ...current, metadata }, body, apply);
    const decoded = decodePatched(type, request, patched);
    // What the patch has left as it was does not insist on it: the next try is on a newer version.
    if (decoded.object.metadata.resourceVersion === resourceVersion)
      delete decoded.object.metadata.resourceVersion;
    return decoded;
  });
}

/** Throws Conflict for the configuration of one very object, which is not there: it is not made anew. */
export function refuseUid(resource: ResourceDefinition, name: string, { metadata }: KubeObject): void {
  const { uid } = metadata;
  if (!uid) return;
  const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
  throw conflict(resource, name, why);
}

/** Who applies, and how. Throws Invalid when nobody is named. */
export function applyOptions(
  registry: Registry,
  { resource, options, subresource }: ApiRequest,
): ApplyOptions {
  const { fieldManager: manager, force = false } = options;
  if (!manager) {
    const subject = { group: 'meta.k8s.io', kind: 'PatchOptions', plural: 'patchoptions' };
    throw invalid(subject, '', [required('fieldManager', 'is required for apply patch')]);
  }
  const nowMs = registry.clock.now();
  const versions = registry.versionsOf(resource);
  return { manager, force, nowMs, versions, subresource };
}
