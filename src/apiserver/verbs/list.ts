// GET of many objects: from the watch cache when its newest state will do, and from the store's history when an
// older revision is asked for (later pages, resourceVersionMatch=Exact).
import { badRequest, expired } from '../../api/errors.ts';
import type { Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { CompactedError } from '../../store/store.ts';
import { type Selection, selectionOf } from '../cache/selection.ts';
import { decodeStored, seal } from '../codec.ts';
import { prefixOf, relativeKey } from '../keys.ts';
import type { Registry } from '../registry.ts';
import type { ApiRequest, ApiResult, ObjectList } from '../request.ts';
import { decodeContinue, encodeContinue, NEWEST } from './continue-token.ts';
import { requireListOptions } from './list-options.ts';
import { reachedRevision } from './revision.ts';

const EXPIRED = 'The resourceVersion for the provided list is too old.';
const CONTINUE_EXPIRED =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

export async function list(registry: Registry, request: ApiRequest): Promise<ApiResult> {
  const selection = selectionOf(request);
  return { type: 'list', list: await listSelected(registry, request, selection), warnings: [] };
}

/** Lists the objects of a selection as the request's paging and version options say. */
export async function listSelected(
  registry: Registry,
  request: ApiRequest,
  selection: Selection,
): Promise<ObjectList> {
  const { resource, options } = request;
  const { limit } = options;
  requireListOptions(options);
  const cache = await registry.cache(resource);
  if (options.continue) {
    const { revision, after } = decodeContinue(options.continue);
    if (options.resourceVersion && options.resourceVersion !== '0') {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    const isNewest = revision === NEWEST || cache.lastChange <= revision;
    const source = isNewest
      ? cache.list(selection.namespace)
      : await past(registry, resource, selection.namespace, revision, after);
    const at = revision === NEWEST ? registry.hub.revision : revision;
    return page(resource, source, selection, at, limit, after);
  }
  const revision = reachedRevision(registry, options.resourceVersion);
  const exact =
    options.resourceVersionMatch === 'Exact' || (limit && revision && !options.resourceVersionMatch);
  if (exact && revision && cache.lastChange > revision) {
    const source = await past(registry, resource, selection.namespace, revision, undefined);
    return page(resource, source, selection, revision, limit, undefined);
  }
  const at = exact && revision ? revision : registry.hub.revision;
  return page(resource, cache.list(selection.namespace), selection, at, limit, undefined);
}

function page(
  resource: ResourceDefinition,
  source: Iterable<Stored>,
  { matches }: Selection,
  revision: number,
  limit: number | undefined,
  after: string | undefined,
): ObjectList {
  const items: Stored[] = [];
  let remaining = 0;
  for (const object of source) {
    if (after !== undefined && relativeKey(resource, object.metadata) <= after) continue;
    if (matches && !matches(object)) continue;
    if (limit && items.length >= limit) remaining++;
    else items.push(object);
  }
  const resourceVersion = String(revision);
  const last = items.at(-1);
  if (remaining === 0 || !last) return { metadata: { resourceVersion }, items };
  const token = encodeContinue({ revision, after: relativeKey(resource, last.metadata) });
  // Upstream leaves the count out when a selector would make it a guess.
  const metadata = matches
    ? { resourceVersion, continue: token }
    : { resourceVersion, continue: token, remainingItemCount: remaining };
  return { metadata, items };
}

/**
 * The objects as they were at a revision. Throws Expired when that is compacted away; whoever was reading page by page
 * gets a token to go on with at the newest state.
 */
async function past(
  registry: Registry,
  resource: ResourceDefinition,
  namespace: string | undefined,
  revision: number,
  after: string | undefined,
): Promise<Stored[]> {
  const all = prefixOf(resource);
  const prefix = resource.namespaced && namespace ? `${all}${namespace}/` : all;
  try {
    const start = after === undefined ? {} : { after: all + after };
    const { entries } = await registry.store.list(prefix, { revision, ...start });
    return entries.map((entry) => seal(decodeStored(resource, entry.value), entry.revision, entry.value));
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
    if (after === undefined) throw expired(EXPIRED);
    const refusal = expired(CONTINUE_EXPIRED);
    refusal.status.metadata = { continue: encodeContinue({ revision: NEWEST, after }) };
    throw refusal;
  }
}
