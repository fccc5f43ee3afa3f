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
import type { Kinds } from './kinds.ts';
import { Reflector } from './reflector.ts';

/**
 * Informers over a client. Each starts in the turn after it was first asked for, and runs until the signal, or until its
 * kind is served no longer; then another is made if it is asked for again.
 * @param random for the jitter of retries; without it all retries come at the middle of their range.
 * @param kinds what is served; left out, everything that is asked for.
 */
export function createInformers(
  client: Client,
  clock: Clock,
  log: Log,
  signal: AbortSignal,
  random?: Pick<Random, 'next'>,
  kinds?: Kinds,
): Informers {
  const informers = new Map<string, { informer: unknown; resource: string; stop: AbortController }>();
  // Each informer listens to the signal; many are no leak.
  setMaxListeners(0, signal);
  const chance = (): number => random?.next() ?? 0.5;
  const endGone = kinds?.onResourcesChange(() => {
    const served = new Set(kinds.resources().map(groupResourceOf));
    for (const [name, { resource, stop }] of informers) {
      if (served.has(resource)) continue;
      informers.delete(name);
      stop.abort();
    }
  });
  if (endGone) signal.addEventListener('abort', endGone, { once: true });
  return {
    of<T extends KubeObject>(resource: ResourceDefinition<T>, selection: Selection = {}): Informer<T> {
      const { namespace, labelSelector, fieldSelector } = selection;
      const name = [groupResourceOf(resource), namespace, labelSelector, fieldSelector].join('\n');
      const existing = informers.get(name);
      // One definition per name: what is kept under it was made for the same T.
      if (existing) return existing.informer as Informer<T>;
      const stop = new AbortController();
      const ended = kinds ? AbortSignal.any([signal, stop.signal]) : signal;
      const informer = new CachingInformer<T>(log, ended);
      informers.set(name, { informer, resource: groupResourceOf(resource), stop });
      const context = { client, clock, log, signal: ended, chance };
      queueMicrotask(() => void new Reflector(resource, selection, informer, context).run());
      return informer;
    },
  };
}
