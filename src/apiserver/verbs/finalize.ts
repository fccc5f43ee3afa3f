// PUT to namespaces/finalize: the only way to change spec.finalizers. With the last one gone, a namespace whose
// deletion was requested goes.
import type { Namespace } from '../../api/generated/types.ts';
import type { AdmissionPlugin } from '../admission/admission.ts';
import { thawed } from '../codec.ts';
import type { Registry } from '../registry.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { decodeObject } from './body.ts';
import { rewrite } from './update.ts';

export function finalize(
  registry: Registry,
  plugins: readonly AdmissionPlugin[],
  request: ApiRequest,
): Promise<ApiResult> {
  const { object: body, warnings } = decodeObject(
    request.resource,
    request.body,
    request.options.fieldValidation,
  );
  const { spec, metadata } = body as Namespace;
  return rewrite(registry, plugins, request, 'other', (current) => {
    const object = thawed(current) as Namespace;
    const finalizers = spec?.finalizers ?? [];
    object.spec = finalizers.length > 0 ? { ...object.spec, finalizers } : {};
    if (metadata.resourceVersion) object.metadata.resourceVersion = metadata.resourceVersion;
    else delete object.metadata.resourceVersion;
    if (metadata.uid) object.metadata.uid = metadata.uid;
    return { object, warnings };
  });
}
