// An API server over a memory store, for the tests of this room: a clock that the test moves, chance from a seed.

import { isAlreadyExists } from '../api/errors.ts';
import type { ObjectList, WatchStream } from '../api/list-watch.ts';
import type { KubeObject, Stored } from '../api/objects.ts';
import type { ResourceDefinition } from '../api/resource.ts';
import { allResources } from '../api/resources/all.ts';
import type { Clock, Random } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { openMemoryStore } from '../store/memory.ts';
import type { Store } from '../store/store.ts';
import type { ApiRequest, ApiResult } from './request.ts';
import { createApiServer, type RunningApiServer } from './server.ts';

export interface TestServer {
  api: RunningApiServer;
  store: Store;
  clock: Clock & { advance(ms: number): void };
  resource(plural: string): ResourceDefinition;
  request(verb: ApiRequest['verb'], plural: string, parts?: Partial<ApiRequest>): ApiRequest;
  /** Makes the request; the answer must be an object. */
  object<T extends KubeObject = KubeObject>(...args: RequestArgs): Promise<Stored<T>>;
  list(...args: RequestArgs): Promise<ObjectList>;
  watch(...args: RequestArgs): Promise<WatchStream>;
  handle(...args: RequestArgs): Promise<ApiResult>;
}

type RequestArgs = [verb: ApiRequest['verb'], plural: string, parts?: Partial<ApiRequest>];

/** What is not as usual. */
export interface TestServerOptions {
  /** Its store and clock, if it is not the only server. */
  store?: Store;
  clock?: TestServer['clock'];
  /** Of its chance. */
  seed?: number;
  serviceCidr?: string;
}

/** A server with the namespace `default` and its service account. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { clock = manualClock(), store = openMemoryStore() } = options;
  const api = createApiServer({
    store,
    clock,
    random: seededRandom(options.seed ?? 1),
    log: silentLog,
    resources: allResources,
    serviceCidr: options.serviceCidr ?? '10.96.0.0/16',
  });
  const resource = (plural: string): ResourceDefinition => {
    const found = allResources.find((each) => each.plural === plural);
    if (!found) throw new Error(`no resource ${plural}`);
    return found;
  };
  const request: TestServer['request'] = (verb, plural, parts = {}) => ({
    verb,
    resource: resource(plural),
    user: { name: 'test', groups: ['system:masters'] },
    options: {},
    ...(resource(plural).namespaced ? { namespace: 'default' } : {}),
    ...parts,
  });
  const handle: TestServer['handle'] = (...args) => api.handle(request(...args));
  const server: TestServer = {
    api,
    store,
    clock,
    resource,
    request,
    handle,
    async object<T extends KubeObject>(...args: RequestArgs) {
      const result = await handle(...args);
      if (result.type !== 'object') throw new Error(`expected an object, not a ${result.type}`);
      return result.object as Stored<T>;
    },
    async list(...args) {
      const result = await handle(...args);
      if (result.type !== 'list') throw new Error(`expected a list, not a ${result.type}`);
      return result.list;
    },
    async watch(...args) {
      const result = await handle(...args);
      if (result.type !== 'watch') throw new Error(`expected a watch, not a ${result.type}`);
      return result.stream;
    },
  };
  for (const plural of ['namespaces', 'serviceaccounts']) {
    await handle('create', plural, { body: { metadata: { name: 'default' } } }).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
  }
  return server;
}

function manualClock(): TestServer['clock'] {
  let now = Date.parse('2026-11-22T07:00:00Z');
  let timers: { at: number; action: () => void }[] = [];
  return {
    now: () => now,
    after(delayMs, action) {
      const timer = { at: now + delayMs, action };
      timers.push(timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
    advance(ms) {
      now += ms;
      const due = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { action } of due) action();
    },
  };
}

function seededRandom(seed: number): Random {
  let state = seed;
  const next = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join('');
  return { next, uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}` };
}
