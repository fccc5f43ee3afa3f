// The face of patching: one function for the four kinds of patch. It is pure: the stored object is not changed, and
// what comes back still has to be decoded, defaulted and validated like any other object that a client sent.

import { badRequest } from '../../api/errors.ts';
import type { KubeObject } from '../../api/objects.ts';
import type { StructType } from '../../api/schema/schema.ts';
import { isStruct } from '../../base/struct.ts';
import type { PatchType } from '../request.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import { type ApplyOptions, serverSideApply } from './server-side-apply.ts';
import { applyStrategicMergePatch } from './strategic-merge.ts';

/**
 * Applies a patch to an object.
 * @param current the stored object, or (for apply) `{ metadata: {} }` where there is none; may be frozen.
 * @param patch the body as parsed JSON.
 * @param apply who applies, and how: needed for server-side apply only.
 * @returns a new object, which may share what the patch leaves alone; not yet decoded.
 * Throws StatusError: BadRequest for a malformed patch, Invalid (422) for one that does not apply, Conflict for fields
 * that other managers own.
 */
export function applyPatch(
  type: PatchType,
  objectType: StructType,
  current: KubeObject,
  patch: unknown,
  apply?: ApplyOptions,
): KubeObject {
  switch (type) {
    case 'json':
      return asObject(applyJsonPatch(current, patch));
    case 'merge':
      return asObject(applyMergePatch({ ...current }, patch));
    case 'strategic':
      return asObject(applyStrategicMergePatch(objectType, { ...current }, patch));
    case 'apply':
      if (!apply) throw new Error('server-side apply needs to know its field manager');
      return serverSideApply(objectType, current, patch, apply);
  }
}

function asObject(patched: unknown): KubeObject {
  if (!isStruct(patched)) throw badRequest('the patch leaves no object');
  return { ...patched, metadata: isStruct(patched.metadata) ? patched.metadata : {} };
}
