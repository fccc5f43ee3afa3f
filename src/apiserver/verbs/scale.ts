// The /scale subresource: a resource's replicas as an autoscaling/v1 Scale, for every resource whose definition says
// where its numbers are.
import { badRequest, invalid, invalidValue, notFound } from '../../api/errors.ts';
import type { Scale } from '../../api/generated/types.ts';
import type { KubeObject, Stored } from '../../api/objects.ts';
import type { ScalePaths } from '../../api/resource.ts';
import { decode } from '../../api/schema/decode.ts';
import type { AdmissionPlugin } from '../admission/admission.ts';
import { thawed } from '../codec.ts';
import { applyPatch } from '../patch/patch.ts';
import type { Registry } from '../registry.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { keyOfRequest } from './request-key.ts';
import { rewrite } from './update.ts';

/** GET, PUT and PATCH of /scale. */
export async function scale(
  registry: Registry,
  plugins: readonly AdmissionPlugin[],
  request: ApiRequest,
): Promise<ApiResult> {
  const { resource } = request;
  const key = keyOfRequest(request);
  const paths = resource.scale;
  if (!paths) throw notFound(resource, key.name);
  if (request.verb === 'get') return scaleResult(paths, await registry.get(resource, key), []);
  const written = await rewrite(registry, plugins, request, 'object', async (current) => {
    const wanted = await wantedScale(request, scaleOf(paths, current));
    const replicas = wanted.spec?.replicas ?? 0;
    if (replicas < 0) {
      const reason = 'must be greater than or equal to 0';
      throw invalid({ group: 'autoscaling', kind: 'Scale', plural: 'scales' }, key.name, [
        invalidValue('spec.replicas', replicas, reason),
      ]);
    }
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

async function wantedScale(request: ApiRequest, current: Scale): Promise<Scale> {
  const { fieldValidation } = request.options;
  if (request.verb === 'update')
    return decode('Scale', request.body, fieldValidation ?? 'Warn').object as Scale;
  if (!request.patchType || request.patchType === 'apply') {
    throw badRequest('the patch of a scale must be a JSON patch or a merge patch');
  }
  const { resourceVersion: _version, ...metadata } = current.metadata ?? {};
  return applyPatch(request.patchType, 'Scale', { ...current, metadata }, request.body) as Scale;
}

function scaleResult(paths: ScalePaths<KubeObject>, object: Stored, warnings: string[]): ApiResult {
  return { type: 'object', code: 200, object: scaleOf(paths, object), warnings };
}

function scaleOf(paths: ScalePaths<KubeObject>, object: Stored): Scale & KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: paths.specReplicas(object) },
    status: { replicas: paths.statusReplicas(object), selector: paths.selector(object) },
  };
}
