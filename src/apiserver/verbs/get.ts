// GET of one object, from the watch cache.
import type { Registry } from '../registry.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { keyOfRequest } from './request-key.ts';
import { reachedRevision } from './revision.ts';

export async function get(registry: Registry, request: ApiRequest): Promise<ApiResult> {
  const { resource, options } = request;
  await reachedRevision(registry, options.resourceVersion);
  const object = await registry.get(resource, keyOfRequest(request));
  return { type: 'object', code: 200, object, warnings: [] };
}
