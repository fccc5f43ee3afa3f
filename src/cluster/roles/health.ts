// What /livez and /readyz ask of this process: its store answers and has room, its informers have seen everything once, it is not
// about to end. What it makes of a new cluster is made before its port opens, so those checks cannot fail.

import type { KubeObject } from '../../api/objects.ts';
import { groupResourceOf, type ResourceDefinition } from '../../api/resource.ts';
import type { HealthCheck } from '../../apiserver/http/routes/health.ts';
import type { Informers, Selection } from '../../client/informers.ts';
import type { Store } from '../../store/store.ts';

/** Upstream's names for what bootstrap.ts does. */
const MADE_AT_START = [
  'poststarthook/rbac/bootstrap-roles',
  'poststarthook/scheduling/bootstrap-system-priority-classes',
  'poststarthook/start-system-namespaces-controller',
];

/** Any key will do: what is asked is whether the store answers. */
const PROBE = '/registry/health';

/** The store stands where upstream has etcd, and is asked for by that name. */
export function healthChecks(
  store: Store,
  storeComplaint: () => string | undefined,
  watched: readonly WatchedInformers[],
  ending: AbortSignal,
): HealthCheck[] {
  const answers = async (): Promise<undefined> => {
    await store.get(PROBE);
    return undefined;
  };
  return [
    { name: 'etcd', check: answers },
    { name: 'etcd-readiness', readinessOnly: true, check: answers },
    { name: 'store-disk', readinessOnly: true, check: storeComplaint },
    {
      name: 'informer-sync',
      readinessOnly: true,
      check: () => {
        const waiting = new Set(watched.flatMap((each) => [...each.waiting]));
        if (waiting.size === 0) return undefined;
        return `${waiting.size} informers not started yet: [${[...waiting].join(' ')}]`;
      },
    },
    ...MADE_AT_START.map((name) => ({ name, check: () => undefined })),
    {
      name: 'shutdown',
      readinessOnly: true,
      check: () => (ending.aborted ? 'process is shutting down' : undefined),
    },
  ];
}

/** Informers of which is known who still waits for the first list. */
export class WatchedInformers implements Informers {
  readonly waiting = new Set<string>();
  readonly #informers: Informers;
  readonly #seen = new Set<string>();

  constructor(informers: Informers) {
    this.#informers = informers;
  }

  of<T extends KubeObject>(resource: ResourceDefinition<T>, selection?: Selection) {
    const informer = this.#informers.of(resource, selection);
    const name = groupResourceOf(resource);
    if (!this.#seen.has(name)) {
      this.#seen.add(name);
      this.waiting.add(name);
      const done = (): void => void this.waiting.delete(name);
      // It rejects only when the informers are stopped, and then nobody waits.
      informer.synced().then(done, done);
    }
    return informer;
  }
}
