// All pods of a node: one worker for each, by UID. Adopts what the runtime has from before, ends what the API no
// longer has, and never lets two pods of one name live at the same time.

import type { Pod } from '../../../api/generated/types.ts';
import { controllerOf, keyOf, type Stored } from '../../../api/objects.ts';
import { isPodFinished } from '../../../api/pod-state.ts';
import { eachByItself } from '../../../base/each-by-itself.ts';
import type { Container, Sandbox } from '../../runtime.ts';
import { rejectionOf } from '../decide/admission.ts';
import { unsupportedBy } from '../decide/unsupported.ts';
import type { NodeServices } from './node-services.ts';
import { type Adopted, PodWorker } from './worker.ts';

/** Grace for what runs without an object that could say more, in seconds. */
const ORPHAN_GRACE_SECONDS = 30;
const AT_ONCE = 8;

export class PodManager {
  readonly #services: NodeServices;
  readonly #workers = new Map<string, PodWorker>();
  /** Live workers by namespace/name. */
  readonly #byKey = new Map<string, PodWorker>();
  /** Pods that wait until another of their name is gone, by namespace/name. */
  readonly #waiting = new Map<string, Stored<Pod>>();
  readonly #found = new Map<string, { sandboxes: Sandbox[]; containers: Container[] }>();
  /** UIDs of pods that are gone and have volumes on disk, with the last complaint about them. */
  readonly #leftOnDisk = new Map<string, string | undefined>();
  #closed = false;

  constructor(services: NodeServices) {
    this.#services = services;
  }

  worker(uid: string): PodWorker | undefined {
    return this.#workers.get(uid);
  }

  workers(): IterableIterator<PodWorker> {
    return this.#workers.values();
  }

  /** Reads what the runtime has, before the first pod is told of; workers that begin later adopt it. */
  async adopt(): Promise<void> {
    for (const [uid, found] of await this.#list()) this.#found.set(uid, found);
  }

  /** A pod of this node is new or has changed. */
  update(pod: Stored<Pod>): void {
    if (this.#closed) return;
    const { uid } = pod.metadata;
    const worker = this.#workers.get(uid);
    if (worker !== undefined) {
      worker.update(pod);
      return;
    }
    const key = keyOf(pod);
    const before = this.#byKey.get(key);
    if (before === undefined) {
      this.#start(pod);
      return;
    }
    this.#waiting.set(key, pod);
    this.#end(before);
  }

  /** A pod's object is gone. */
  remove(pod: Stored<Pod>): void {
    const key = keyOf(pod);
    if (this.#waiting.get(key)?.metadata.uid === pod.metadata.uid) this.#waiting.delete(key);
    const worker = this.#workers.get(pod.metadata.uid);
    if (worker !== undefined) this.#end(worker, pod);
  }

  /** Ends what was found in the runtime or on disk and belongs to no pod of the API. To be called once, after the first list. */
  async sweep(isKnown: (uid: string) => boolean): Promise<void> {
    for (const [uid, found] of this.#found) {
      if (!isKnown(uid) && !this.#workers.has(uid)) this.#endOrphan(uid, found);
    }
    this.#found.clear();
    for (const uid of await this.#services.volumes.podsOnDisk()) {
      if (!isKnown(uid) && !this.#workers.has(uid)) this.#leftOnDisk.set(uid, undefined);
    }
    await this.#clearDisk();
  }

  /** Takes down the volumes of pods that are gone; what cannot be taken down now is tried again, and said once. */
  async #clearDisk(): Promise<void> {
    const { log, volumes } = this.#services;
    const left = this.#leftOnDisk;
    await eachByItself(
      [...left.keys()],
      AT_ONCE,
      async (uid) => {
        await volumes.tearDown(uid);
        left.delete(uid);
      },
      (error, uid) => {
        const said = String(error);
        if (left.get(uid) !== said) {
          log.error('the volumes of a pod that is gone cannot be taken down, trying again', error, { uid });
        }
        left.set(uid, said);
      },
    );
  }

  /** The runtime may have news of a pod. */
  runtimeChanged(uid: string): void {
    this.#workers.get(uid)?.runtimeChanged();
  }

  /**
   * The safety net: looks at everything the runtime has. What belongs to no pod is ended: a sandbox, say, whose start
   * was reported as failed, and whose pod has gone before it was found.
   */
  async relist(): Promise<void> {
    const before = new Set(this.#workers.keys());
    const all = await this.#list();
    if (this.#closed) return;
    const waiting = new Set([...this.#waiting.values()].map((pod) => pod.metadata.uid));
    for (const [uid, found] of all) {
      const worker = this.#workers.get(uid);
      if (worker !== undefined) worker.relisted(found);
      // One that had a worker a moment ago may have been ended since the list was made.
      else if (!before.has(uid) && !waiting.has(uid)) this.#endOrphan(uid, found);
    }
    await this.#clearDisk();
  }

  /** Stops the pods that no controller would make again; their objects stay, and they start again with the node. */
  async stopUncontrolled(): Promise<void> {
    const stopping = [...this.#workers.values()].filter((worker) => controllerOf(worker.pod) === undefined);
    await Promise.all(
      stopping.map((worker) =>
        worker.end('shutdown', worker.pod.spec.terminationGracePeriodSeconds ?? ORPHAN_GRACE_SECONDS),
      ),
    );
  }

  /** Goes away; containers run on. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#workers.values()].map((worker) => worker.close()));
  }

  #endOrphan(uid: string, found: { sandboxes: Sandbox[]; containers: Container[] }): void {
    const sandbox = found.sandboxes[0];
    if (sandbox === undefined) return;
    const { namespace, name } = sandbox;
    this.#services.log.info('ending a pod that the API does not have any more', { namespace, name, uid });
    this.#end(this.#start(orphan(sandbox, found.containers), found));
  }

  #start(
    pod: Stored<Pod>,
    adopted: Adopted = this.#found.get(pod.metadata.uid) ?? { sandboxes: [], containers: [] },
  ): PodWorker {
    const { uid } = pod.metadata;
    const rejection = this.#admit(pod, adopted);
    const worker = new PodWorker(this.#services, pod, adopted, rejection, () => this.#othersThan(uid));
    this.#workers.set(uid, worker);
    // An orphan may have the name of a pod that lives.
    if (!this.#byKey.has(keyOf(pod))) this.#byKey.set(keyOf(pod), worker);
    worker.wake();
    return worker;
  }

  /** The other pods that take something of the node. */
  #othersThan(uid: string): Stored<Pod>[] {
    return [...this.#workers]
      .filter(([other, { pod }]) => other !== uid && !isPodFinished(pod))
      .map(([, worker]) => worker.allocatedPod);
  }

  /** Only pods that the node has not begun with are asked what they want of it. */
  #admit(pod: Stored<Pod>, adopted: Adopted): { reason: string; message: string } | undefined {
    if (adopted.sandboxes.length > 0 || pod.status?.startTime !== undefined) return undefined;
    const { appArmor, events, machine, pressure, sysctls } = this.#services;
    const rejection =
      pressure?.rejectionOf(pod) ??
      unsupportedBy(pod, appArmor) ??
      sysctls.rejectionOf(pod) ??
      rejectionOf(pod, machine, () =>
        [...this.#workers.values()].map((worker) => worker.pod).filter((other) => !isPodFinished(other)),
      );
    if (rejection === undefined) return undefined;
    events.record(pod, { type: 'Warning', ...rejection });
    return { reason: rejection.reason, message: `Pod was rejected: ${rejection.message}` };
  }

  #end(worker: PodWorker, last: Stored<Pod> = worker.pod): void {
    const { deletionGracePeriodSeconds } = last.metadata;
    const grace =
      deletionGracePeriodSeconds ?? last.spec.terminationGracePeriodSeconds ?? ORPHAN_GRACE_SECONDS;
    const ended = worker.state.removed ? Promise.resolve() : worker.end('removed', Math.max(1, grace));
    void ended.then(() => this.#forget(worker));
  }

  async #forget(worker: PodWorker): Promise<void> {
    if (this.#closed) return;
    const key = keyOf(worker.pod);
    this.#workers.delete(worker.pod.metadata.uid);
    if (this.#byKey.get(key) === worker) this.#byKey.delete(key);
    await worker.close();
    const next = this.#waiting.get(key);
    if (next === undefined || this.#byKey.has(key)) return;
    this.#waiting.delete(key);
    this.update(next);
  }

  async #list(): Promise<Map<string, { sandboxes: Sandbox[]; containers: Container[] }>> {
    const { runtime } = this.#services;
    const [sandboxes, containers] = await Promise.all([runtime.listSandboxes(), runtime.listContainers()]);
    const byUid = new Map<string, { sandboxes: Sandbox[]; containers: Container[] }>();
    const of = (uid: string): { sandboxes: Sandbox[]; containers: Container[] } => {
      const entry = byUid.get(uid) ?? { sandboxes: [], containers: [] };
      byUid.set(uid, entry);
      return entry;
    };
    for (const sandbox of sandboxes) of(sandbox.podUid).sandboxes.push(sandbox);
    for (const container of containers) of(container.podUid).containers.push(container);
    return byUid;
  }
}

/** As much of a pod as the runtime's labels tell: enough to end it. */
function orphan(sandbox: Sandbox, containers: readonly Container[]): Stored<Pod> {
  const { name, namespace, podUid } = sandbox;
  const names = new Set(containers.map((container) => container.name));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      uid: podUid,
      resourceVersion: '0',
      creationTimestamp: '1970-01-01T00:00:00Z',
    },
    spec: { containers: [...names].map((container) => ({ name: container })) },
  };
}
