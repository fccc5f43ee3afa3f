// The informers of one process: one list and one watch per resource and selection, however many ask for it.
import { setMaxListeners } from 'node:events';
import type { KubeObject } from '../api/objects.ts';
import type { ResourceDefinition } from '../api/resource.ts';
import { groupResourceOf } from '../api/resource.ts';
import type { Clock, Random } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Client } from './client.ts';
import { CachingInformer } from './informer.ts';
import type { Informer, Informers, Selection } from './informers.ts';
import { Reflector } from './reflector.ts';

/**
 * Informers over a client. Each starts in the turn after it was first asked for, and runs until the signal.
 * @param random for the jitter of retries; without it all retries come at the middle of their range.
 */
export function createInformers(
  client: Client,
  clock: Clock,
  log: Log,
  signal: AbortSignal,
  random?: Pick<Random, 'next'>,
): Informers {
  const informers = new Map<string, unknown>();
  // Each informer listens to the signal; many are no leak.
  setMaxListeners(0, signal);
  const context = { client, clock, log, signal, chance: () => random?.next() ?? 0.5 };
  return {
    of<T extends KubeObject>(resource: ResourceDefinition<T>, selection: Selection = {}): Informer<T> {
      const { namespace, labelSelector, fieldSelector } = selection;
      const name = [groupResourceOf(resource), namespace, labelSelector, fieldSelector].join('\n');
      const existing = informers.get(name);
      // One definition per name: what is kept under it was made for the same T.
      if (existing) return existing as Informer<T>;
      const informer = new CachingInformer<T>(log, signal);
      informers.set(name, informer);
      queueMicrotask(() => void new Reflector(resource, selection, informer, context).run());
      return informer;
    },
  };
}
