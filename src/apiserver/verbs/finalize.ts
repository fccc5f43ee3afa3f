// PUT to namespaces/finalize: the only way to change spec.finalizers. With the last one gone, a namespace whose
// deletion was requested goes.
import { invalid } from '../../api/errors.ts';
import type { Namespace } from '../../api/generated/types.ts';
import { validateNamespaceFinalize } from '../../api/resources/namespaces/validation.ts';
import type { Pipeline } from '../admission/pipeline.ts';
import { thawed } from '../codec.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { decodeObject } from './body.ts';
import { rewrite } from './update.ts';

export function finalize(pipeline: Pipeline, request: ApiRequest): Promise<ApiResult> {
  const { object: body, warnings } = decodeObject(
    request.resource,
    pipeline.registry.typeOf(request.resource),
    request.body,
    request.options.fieldValidation,
    request.repeatedKeys,
  );
  const { spec, metadata } = body as Namespace;
  return rewrite(pipeline, request, 'other', (current) => {
    const object = thawed(current) as Namespace;
    const finalizers = spec?.finalizers ?? [];
    const errors = validateNamespaceFinalize({ metadata: {}, spec: { finalizers } });
    if (errors.length > 0) throw invalid(request.resource, current.metadata.name, errors);
    object.spec = finalizers.length > 0 ? { ...object.spec, finalizers } : {};
    if (metadata.resourceVersion) object.metadata.resourceVersion = metadata.resourceVersion;
    else delete object.metadata.resourceVersion;
    if (metadata.uid) object.metadata.uid = metadata.uid;
    return { object, warnings };
  });
}
