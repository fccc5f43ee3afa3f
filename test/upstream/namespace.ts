// A namespace for one test, watched from its beginning: what its pods, claims and sets are now, in which order pods
// came and went, and a way to wait for what they will be. Nothing here knows what a test is about.
import assert from 'node:assert/strict';
import type {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  V1PersistentVolumeClaim,
  V1Pod,
  V1StatefulSet,
} from '@kubernetes/client-node';
import { loadClient } from '../kit/client-node.ts';
import type { TestStead } from '../kit/stead.ts';

export const client = await loadClient();

/** How long a condition may take before the test gives up: far more than it ever needs. */
const PATIENCE_MS = 60_000;

interface Watched {
  metadata?: { name?: string; uid?: string; resourceVersion?: string; deletionTimestamp?: unknown };
}

/** What a merge patch of an object of type T may hold. */
export type Patch<T> = T extends object ? { [K in keyof T]?: Patch<T[K]> | null } : T;

export class TestNamespace {
  readonly name: string;
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly pods = new Map<string, V1Pod>();
  readonly claims = new Map<string, V1PersistentVolumeClaim>();
  readonly sets = new Map<string, V1StatefulSet>();
  /** `created web-0`, `gone web-0`, in the order in which it happened. */
  readonly story: string[] = [];
  /** Called after every event. */
  readonly observers = new Set<() => void>();
  readonly #config: KubeConfig;
  readonly #watches: AbortController[] = [];
  #broken: unknown;

  constructor(config: KubeConfig, name: string) {
    this.name = name;
    this.#config = config;
    this.core = config.makeApiClient(client.CoreV1Api);
    this.apps = config.makeApiClient(client.AppsV1Api);
  }

  /** Makes the namespace, runs the test in it, and has it deleted; what is left in it goes with it. */
  static async use(
    stead: TestStead,
    name: string,
    test: (space: TestNamespace) => Promise<void>,
  ): Promise<void> {
    const config = new client.KubeConfig();
    config.loadFromFile(stead.kubeconfig);
    const space = new TestNamespace(config, name);
    await space.core.createNamespace({ body: { metadata: { name } } });
    try {
      await space.#watch('/api/v1', 'pods', space.pods);
      await space.#watch('/api/v1', 'persistentvolumeclaims', space.claims);
      await space.#watch('/apis/apps/v1', 'statefulsets', space.sets);
      await test(space);
    } finally {
      for (const watch of space.#watches) watch.abort();
      await space.core.deleteNamespace({ name });
    }
  }

  async #watch<T extends Watched>(api: string, resource: string, into: Map<string, T>): Promise<void> {
    const path = `${api}/namespaces/${this.name}/${resource}`;
    const seen = (type: string, object: T): void => {
      const name = object.metadata?.name ?? '';
      if (type === 'DELETED') into.delete(name);
      else into.set(name, object);
      if (resource === 'pods' && type !== 'MODIFIED')
        this.story.push(`${type === 'ADDED' ? 'created' : 'gone'} ${name}`);
      this.#tell();
    };
    const ended = (error: unknown): void => {
      if (controller.signal.aborted) return;
      this.#broken = error ?? new Error(`the watch of ${resource} ended`);
      this.#tell();
    };
    const controller = await new client.Watch(this.#config).watch(path, {}, seen, ended);
    this.#watches.push(controller);
  }

  #tell(): void {
    for (const observer of [...this.observers]) observer();
  }

  /** Waits until the watches have shown what is asked for, and gives it; undefined and false are not it. */
  until<T>(what: string, ask: () => T | undefined | false): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.observers.delete(look);
      };
      const look = (): void => {
        const answer = ask();
        if (answer === undefined || answer === false) {
          if (!this.#broken) return;
          end();
          reject(this.#broken);
        } else {
          end();
          resolve(answer);
        }
      };
      const timer = setTimeout(() => {
        end();
        reject(new assert.AssertionError({ message: `${what} did not come true\n${this.summary()}` }));
      }, PATIENCE_MS);
      this.observers.add(look);
      look();
    });
  }

  /** What is there now, for whoever reads why a test failed. */
  summary(): string {
    const pods = [...this.pods.values()].map(
      (pod) =>
        `  ${pod.metadata?.name} ${pod.status?.phase} ${isReady(pod) ? 'ready' : 'not ready'} ${imageOf(pod)}`,
    );
    const sets = [...this.sets.values()].map(
      (set) => `  ${set.metadata?.name} ${JSON.stringify(set.status)}`,
    );
    return [...sets, ...pods, `  claims ${[...this.claims.keys()].join(' ')}`, ...this.story].join('\n');
  }

  /** A change of a set, as `kubectl patch` makes it: containers are merged by their names. */
  patchSet(name: string, body: Patch<V1StatefulSet>): Promise<V1StatefulSet> {
    const { StrategicMergePatch } = client.PatchStrategy;
    return this.apps.patchNamespacedStatefulSet(
      { name, namespace: this.name, body },
      client.setHeaderOptions('Content-Type', StrategicMergePatch),
    );
  }
  patchPod(name: string, body: Patch<V1Pod>): Promise<V1Pod> {
    return this.core.patchNamespacedPod(
      { name, namespace: this.name, body },
      client.setHeaderOptions('Content-Type', client.PatchStrategy.MergePatch),
    );
  }
  patchClaim(name: string, body: Patch<V1PersistentVolumeClaim>): Promise<V1PersistentVolumeClaim> {
    return this.core.patchNamespacedPersistentVolumeClaim(
      { name, namespace: this.name, body },
      client.setHeaderOptions('Content-Type', client.PatchStrategy.MergePatch),
    );
  }
  deletePod(name: string): Promise<unknown> {
    return this.core.deleteNamespacedPod({ name, namespace: this.name });
  }
}

export function isReady(pod: V1Pod | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

export function imageOf(pod: V1Pod | undefined): string | undefined {
  return pod?.spec?.containers[0]?.image;
}

export function revisionOf(pod: V1Pod | undefined): string | undefined {
  return pod?.metadata?.labels?.['controller-revision-hash'];
}
