// PATCH: a new version made of the stored one and a patch, then the same pipeline as PUT. Server-side apply creates
// the object when it is not there. Follows apiserver pkg/endpoints/handlers/patch.go.
import { badRequest, unsupportedMediaType } from '../../api/errors.ts';
import type { AdmissionPlugin } from '../admission/admission.ts';
import { applyPatch } from '../patch/patch.ts';
import type { Registry } from '../registry.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { decodeObject } from './body.ts';
import { createOne, placeInNamespace } from './create.ts';
import { keyOfRequest } from './request-key.ts';
import { rewrite } from './update.ts';

export async function patch(
  registry: Registry,
  plugins: readonly AdmissionPlugin[],
  request: ApiRequest,
): Promise<ApiResult> {
  const { resource, options, patchType, subresource, body } = request;
  if (!patchType) throw unsupportedMediaType('the patch has no type: say so in Content-Type');
  const key = keyOfRequest(request);
  if (patchType === 'apply') {
    if (!options.fieldManager) {
      throw badRequest(
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      );
    }
    if (!subresource && !(await registry.find(resource, key))) {
      const { object, warnings } = decodeObject(resource, body, options.fieldValidation);
      object.metadata.name ??= key.name;
      placeInNamespace(resource, object, key.namespace);
      return createOne(registry, plugins, request, object, warnings);
    }
  }
  return rewrite(registry, plugins, request, subresource === 'status' ? 'status' : 'object', (current) => {
    const { resourceVersion: _version, ...metadata } = current.metadata;
    const patched = applyPatch(patchType, resource.schema, { ...current, metadata }, body);
    return decodeObject(resource, patched, options.fieldValidation);
  });
}
