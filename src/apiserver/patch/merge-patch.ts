// JSON Merge Patch (RFC 7386): objects are merged, null removes, everything else replaces.
import { badRequest } from '../../api/errors.ts';
import { setProperty } from '../../api/schema/set-property.ts';
import { isStruct, type Struct } from '../../base/struct.ts';

/** Applies a merge patch; `current` is not changed, and the result shares what the patch leaves alone. Throws badRequest for a patch that is no object. */
export function applyMergePatch(current: Struct, patch: unknown): Struct {
  if (!isStruct(patch)) throw badRequest('Invalid JSON Patch: a merge patch is an object');
  return mergeStruct(current, patch);
}

function mergeStruct(current: Struct, patch: Struct): Struct {
  const merged: Struct = { ...current };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else if (isStruct(value)) {
      const old = Object.hasOwn(merged, key) ? merged[key] : undefined;
      setProperty(merged, key, mergeStruct(isStruct(old) ? old : {}, value));
    } else setProperty(merged, key, value);
  }
  return merged;
}
