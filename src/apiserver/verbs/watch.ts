// A watch: everything there is and then every change, or every change after a version. Bookmarks tell a quiet
// watcher how far it has come. Follows apiserver pkg/storage/cacher.
import { invalid, StatusError } from '../../api/errors.ts';
import type { WatchStream } from '../../api/list-watch.ts';
import { apiVersionOf } from '../../api/resource.ts';
import { selectionOf } from '../cache/selection.ts';
import { bookmark, type Watcher } from '../cache/watcher.ts';
import type { Registry } from '../registry.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { watchOptions } from './list-options.ts';
import { parseRevision, reachedRevision, revisionError } from './revision.ts';

/** Upstream sends one about every minute. */
const BOOKMARK_INTERVAL_MS = 60_000;

export async function watch(registry: Registry, request: ApiRequest): Promise<ApiResult> {
  const { resource } = request;
  const options = watchOptions(request.options);
  const selection = selectionOf(request);
  const { sendInitialEvents } = options;
  const wrong = revisionError(options.resourceVersion);
  if (wrong) throw invalid({ ...resource, kind: resource.plural }, '', [wrong]);
  const asked = parseRevision(options.resourceVersion);
  const revision = asked === 0 ? undefined : asked;
  const cache = await registry.cache(resource);
  const from =
    sendInitialEvents === undefined
      ? revision
      : sendInitialEvents
        ? undefined
        : (revision ?? registry.hub.revision);
  let watcher: Watcher;
  try {
    if (sendInitialEvents) await reachedRevision(registry, options.resourceVersion);
    watcher = cache.watch(selection, from);
  } catch (error) {
    if (error instanceof StatusError) return { type: 'watch', stream: failed(error) };
    throw error;
  }
  const kind = { apiVersion: apiVersionOf(resource), kind: resource.kind };
  if (sendInitialEvents && options.allowWatchBookmarks) {
    watcher.push(bookmark(kind, registry.hub.revision, { 'k8s.io/initial-events-end': 'true' }));
  }
  keepTime(registry, request, watcher, kind);
  stopWith(watcher, request.signal);
  return { type: 'watch', stream: watcher };
}

/** The signal may outlive many watches: a watch that has ended leaves no listener on it. */
function stopWith(watcher: Watcher, signal: AbortSignal | undefined): void {
  if (!signal) return;
  const stop = (): void => watcher.stop();
  signal.addEventListener('abort', stop, { once: true });
  watcher.onStop(() => signal.removeEventListener('abort', stop));
  if (signal.aborted) stop();
}

/** Bookmarks while the watch lasts, and its end after timeoutSeconds. */
function keepTime(
  registry: Registry,
  { options }: ApiRequest,
  watcher: Watcher,
  kind: { apiVersion: string; kind: string },
): void {
  const { clock, hub } = registry;
  const mark = (): void => {
    if (options.allowWatchBookmarks) watcher.push(bookmark(kind, hub.revision));
  };
  if (options.allowWatchBookmarks) {
    const again = (): void => {
      mark();
      cancel = clock.after(BOOKMARK_INTERVAL_MS, again);
    };
    let cancel = clock.after(BOOKMARK_INTERVAL_MS, again);
    watcher.onStop(() => cancel());
  }
  if (options.timeoutSeconds) {
    const cancel = clock.after(options.timeoutSeconds * 1000, () => {
      mark();
      watcher.stop();
    });
    watcher.onStop(cancel);
  }
}

/** A watch that only says why it cannot be: clients list again. */
function failed(error: StatusError): WatchStream {
  let told = false;
  return {
    async next() {
      if (told) return undefined;
      told = true;
      return [{ type: 'ERROR', object: error.status }];
    },
    stop() {
      told = true;
    },
  };
}
