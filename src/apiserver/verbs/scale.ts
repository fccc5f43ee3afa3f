// The /scale subresource: a resource's replicas as an autoscaling/v1 Scale, for every resource whose definition says
// where its numbers are.
import { invalid, invalidValue, notFound, unsupportedMediaType } from '../../api/errors.ts';
import type { Scale } from '../../api/generated/types.ts';
import type { KubeObject, Stored } from '../../api/objects.ts';
import { apiVersionOf, type ScalePaths } from '../../api/resource.ts';
import { decode } from '../../api/schema/decode.ts';
import type { StructType } from '../../api/schema/schema.ts';
import { present } from '../../base/present.ts';
import type { Pipeline } from '../admission/pipeline.ts';
import { thawed } from '../codec.ts';
import { applyPatch } from '../patch/patch.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { decodeObject } from './body.ts';
import { applyOptions } from './patch.ts';
import { keyOfRequest } from './request-key.ts';
import { rewrite } from './update.ts';

/** GET, PUT and PATCH of /scale. */
export async function scale(pipeline: Pipeline, request: ApiRequest): Promise<ApiResult> {
  const { registry } = pipeline;
  const { resource } = request;
  const key = keyOfRequest(request);
  const paths = resource.scale;
  if (!paths) throw notFound(resource, key.name);
  if (request.verb === 'get') return scaleResult(paths, await registry.get(resource, key), []);
  if (request.patchType === 'apply') return applyScale(pipeline, request, paths);
  const written = await rewrite(pipeline, request, 'object', async (current) => {
    const wanted = await wantedScale(registry.schema.type('Scale'), request, scaleOf(paths, current));
    const replicas = wanted.spec?.replicas ?? 0;
    refuseNegative(key.name, replicas);
    const object: KubeObject = thawed(current);
    paths.setSpecReplicas(object, replicas);
    const { uid, resourceVersion } = wanted.metadata ?? {};
    if (uid) object.metadata.uid = uid;
    if (resourceVersion) object.metadata.resourceVersion = resourceVersion;
    else delete object.metadata.resourceVersion;
    return { object, warnings: [] };
  });
  return written.type === 'object' ? scaleResult(paths, written.object as Stored, written.warnings) : written;
}

/**
 * Server-side apply of a scale: the same as applying the resource with nothing but its number of replicas, which its
 * managedFields then say (upstream's ScaleHandler, pkg/registry/apps/statefulset/storage).
 */
async function applyScale(
  pipeline: Pipeline,
  request: ApiRequest,
  paths: ScalePaths<KubeObject>,
): Promise<ApiResult> {
  const { registry } = pipeline;
  const { resource, options } = request;
  const { name } = keyOfRequest(request);
  const type = registry.typeOf(resource);
  const apply = applyOptions(registry, request);
  const scale = decode(registry.schema.type('Scale'), request.body, options.fieldValidation ?? 'Strict')
    .object as Scale;
  const replicas = scale.spec?.replicas;
  if (replicas !== undefined) refuseNegative(name, replicas);
  const config = { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: { name }, spec: {} };
  if (replicas !== undefined) paths.setSpecReplicas(config, replicas);
  const written = await rewrite(pipeline, request, 'object', (current) => {
    const { resourceVersion: _version, ...metadata } = current.metadata;
    const applied = applyPatch('apply', type, { ...current, metadata }, config, apply);
    return decodeObject(resource, type, applied, 'Ignore');
  });
  return written.type === 'object' ? scaleResult(paths, written.object as Stored, written.warnings) : written;
}

function refuseNegative(name: string, replicas: number): void {
  if (replicas >= 0) return;
  const reason = 'must be greater than or equal to 0';
  throw invalid({ group: 'autoscaling', kind: 'Scale', plural: 'scales' }, name, [
    invalidValue('spec.replicas', replicas, reason),
  ]);
}

async function wantedScale(type: StructType, request: ApiRequest, current: Scale): Promise<Scale> {
  const { fieldValidation } = request.options;
  if (request.verb === 'update') return decode(type, request.body, fieldValidation ?? 'Warn').object as Scale;
  if (!request.patchType) throw unsupportedMediaType('the patch has no type: say so in Content-Type');
  const { resourceVersion: _version, ...metadata } = current.metadata ?? {};
  return applyPatch(request.patchType, type, { ...current, metadata }, request.body) as Scale;
}

function scaleResult(paths: ScalePaths<KubeObject>, object: Stored, warnings: readonly string[]): ApiResult {
  return { type: 'object', code: 200, object: scaleOf(paths, object), warnings };
}

function scaleOf(paths: ScalePaths<KubeObject>, object: Stored): Scale & KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: present({ name, namespace, uid, resourceVersion, creationTimestamp }),
    spec: { replicas: paths.specReplicas(object) },
    status: { replicas: paths.statusReplicas(object), selector: paths.selector(object) },
  };
}
