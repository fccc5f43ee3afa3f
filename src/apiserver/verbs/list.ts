// GET of many objects: from the watch cache when its newest state will do, and from the store's history when an
// older revision is asked for (later pages, resourceVersionMatch=Exact).
import { badRequest, expired } from '../../api/errors.ts';
import type { ObjectList } from '../../api/list-watch.ts';
import type { Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { CompactedError } from '../../store/store.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import { type Selection, selectionOf } from '../cache/selection.ts';
import { decodeStored, seal } from '../codec.ts';
import { prefixOf, relativeKey } from '../keys.ts';
import type { Registry } from '../registry.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { type ContinueToken, decodeContinue, encodeContinue, NEWEST } from './continue-token.ts';
import { requireListOptions } from './list-options.ts';
import { reachedRevision } from './revision.ts';

/** Entries that are read at once where a selector may leave most of them out. */
const SELECTED_CHUNK = 500;

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
    const token = decodeContinue(options.continue);
    if (options.resourceVersion && options.resourceVersion !== '0') {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    const isNewest = token.revision === NEWEST || cache.lastChange <= token.revision;
    if (!isNewest) return pastPage(registry, resource, selection, limit, token);
    const at = token.revision === NEWEST ? registry.hub.revision : token.revision;
    return page(cache, selection, at, limit, token.after);
  }
  const revision = await reachedRevision(registry, options.resourceVersion);
  const exact =
    options.resourceVersionMatch === 'Exact' || (limit && revision && !options.resourceVersionMatch);
  if (exact && revision && cache.lastChange > revision) {
    return pastPage(registry, resource, selection, limit, { revision });
  }
  const at = exact && revision ? revision : registry.hub.revision;
  return page(cache, selection, at, limit, undefined);
}

/** A page of the newest state. */
async function page(
  cache: ResourceCache,
  { namespace, matches }: Selection,
  revision: number,
  limit: number | undefined,
  after: string | undefined,
): Promise<ObjectList> {
  const { resource } = cache;
  const items: Stored[] = [];
  let remaining = 0;
  for (const object of cache.list(namespace)) {
    if (after !== undefined && relativeKey(resource, object.metadata) <= after) continue;
    if (matches && !matches(object)) continue;
    if (limit && items.length >= limit) {
      remaining++;
      // Upstream leaves the count out when a selector would make it a guess.
      if (matches) break;
    } else items.push(object);
  }
  const last = items.at(-1);
  const whole = await cache.whole(items);
  if (remaining === 0 || !last) return { metadata: { resourceVersion: String(revision) }, items: whole };
  const count = matches ? undefined : remaining;
  return paged(whole, { revision, after: relativeKey(resource, last.metadata), remaining: count });
}

/** A list that goes on at a token. */
function paged(items: Stored[], token: ContinueToken): ObjectList {
  const { revision, remaining } = token;
  const metadata = { resourceVersion: String(revision), continue: encodeContinue(token) };
  return {
    metadata: remaining === undefined ? metadata : { ...metadata, remainingItemCount: remaining },
    items,
  };
}

/** Where a page of the past is: true at a revision, after a key below the resource's prefix. */
interface Place {
  revision: number;
  after?: string | undefined;
  remaining?: number | undefined;
}

/**
 * A page of the state at a revision, from the store's history. Throws Expired when that is compacted away; whoever was
 * reading page by page gets a token to go on with, from where this page began, at the newest state.
 */
async function pastPage(
  registry: Registry,
  resource: ResourceDefinition,
  selection: Selection,
  limit: number | undefined,
  place: Place,
): Promise<ObjectList> {
  try {
    return await readPast(registry, resource, selection, limit, place);
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
    if (place.after === undefined) throw expired(EXPIRED);
    const refusal = expired(CONTINUE_EXPIRED);
    refusal.status.metadata = { continue: encodeContinue({ revision: NEWEST, after: place.after }) };
    throw refusal;
  }
}

/** Reads the store as far as the page goes: what lies behind it is not read. */
async function readPast(
  { store }: Registry,
  resource: ResourceDefinition,
  { namespace, matches }: Selection,
  limit: number | undefined,
  { revision, after, remaining }: Place,
): Promise<ObjectList> {
  const all = prefixOf(resource);
  const prefix = resource.namespaced && namespace ? `${all}${namespace}/` : all;
  const items: Stored[] = [];
  let at = after;
  for (let more = true; more; ) {
    const wanted = limit && limit - items.length;
    if (wanted === 0) {
      return paged(items, { revision, after: at ?? '', remaining: remaining && remaining - items.length });
    }
    const most = wanted && (matches ? Math.max(wanted, SELECTED_CHUNK) : wanted);
    const chunk = await store.list(prefix, {
      revision,
      after: at === undefined ? undefined : all + at,
      limit: most,
    });
    more = chunk.more;
    for (const [index, entry] of chunk.entries.entries()) {
      at = entry.key.slice(all.length);
      const object = seal(decodeStored(resource, entry.value), entry.revision, entry.value);
      if (!matches || matches(object)) items.push(object);
      if (items.length !== limit) continue;
      more ||= index < chunk.entries.length - 1;
      break;
    }
  }
  return { metadata: { resourceVersion: String(revision) }, items };
}
