// Which kinds the API serves, for those who act on all of them: they come and go while it runs. The API server in this
// process is one (`ApiServer`); elsewhere discovery is asked again and again; nobody keeps a list of their own.
import { apiVersionOf, groupResourceOf, type ResourceDefinition } from '../api/resource.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { errorText } from '../base/error-text.ts';
import type { Log } from '../base/log.ts';
import type { Client } from './client.ts';

/** As upstream's garbage collector (pkg/controller/garbagecollector, Sync). */
const PERIOD_MS = 30_000;
/** Until the first answer, everybody waits. */
const RETRY_MS = 1_000;

export interface Kinds {
  /** Everything that is served now. */
  resources(): readonly ResourceDefinition[];
  /** Calls back whenever that is another list. Returns what ends it. */
  onResourcesChange(listener: () => void): () => void;
}

/** Of what is served in several versions of a group, the first: they are the same objects. */
export function oneVersionEach(resources: readonly ResourceDefinition[]): ResourceDefinition[] {
  const first = new Map<string, ResourceDefinition>();
  for (const resource of resources) {
    const name = groupResourceOf(resource);
    if (!first.has(name)) first.set(name, resource);
  }
  return [...first.values()];
}

/**
 * The kinds that a client's API serves, asked for every half minute until the signal: what it cannot say meanwhile stays as
 * it was. Resolves with the first answer; rejects with the signal if that comes before it.
 */
export async function followKinds(
  client: Pick<Client, 'discover'>,
  clock: Clock,
  log: Log,
  signal: AbortSignal,
): Promise<Kinds> {
  let known: readonly ResourceDefinition[] | undefined;
  const listeners = new Set<() => void>();
  const ask = async (): Promise<void> => {
    try {
      const found = await client.discover();
      if (known && namesOf(found) === namesOf(known)) return;
      // What has stayed is the very same, for those who compare.
      const before = new Map(known?.map((each) => [nameOf(each), each]));
      known = found.map((each) => before.get(nameOf(each)) ?? each);
      for (const listener of listeners) listener();
    } catch (error) {
      if (!signal.aborted) log.warn('what the API serves cannot be discovered', { error: errorText(error) });
    }
  };
  for (await ask(); !known; await ask()) {
    signal.throwIfAborted();
    await sleep(clock, RETRY_MS, signal);
  }
  const first = known;
  const follow = async (): Promise<void> => {
    for (;;) {
      await sleep(clock, PERIOD_MS, signal);
      if (signal.aborted) return;
      await ask();
    }
  };
  void follow();
  return {
    resources: () => known ?? first,
    onResourcesChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** All that matters of a kind to who acts on all of them. */
const nameOf = (resource: ResourceDefinition): string =>
  [apiVersionOf(resource), resource.kind, resource.plural, resource.namespaced, ...resource.verbs].join(' ');
const namesOf = (resources: readonly ResourceDefinition[]): string => resources.map(nameOf).join('\n');
