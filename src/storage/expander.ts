// The expander of local volumes: when a claim asks for more than its volume has, it raises the capacity of the
// volume's object and says on the claim how far it is. The bytes are the node's (node/volumes/local). Events are
// external-resizer's.

import { classNameOf } from '../api/between/volume-binding.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../api/generated/types.ts';
import { keyOf, parseKey, type Stored } from '../api/objects.ts';
import { persistentVolumeClaims } from '../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../api/resources/persistent-volumes/definition.ts';
import { storageClasses } from '../api/resources/storage-classes/definition.ts';
import { createRecorder, type EventRecorder } from '../client/events.ts';
import type { RunContext } from '../client/run-context.ts';
import { runWorkers } from '../client/run-workers.ts';
import { WorkQueue } from '../client/work-queue.ts';
import { LOCAL_PROVISIONER } from './default-class.ts';
import { type ExpandStep, planExpand } from './expand-plan.ts';

const WORKERS = 4;

/** Runs the expander of local volumes until the context's signal. */
export async function runLocalExpander(context: RunContext): Promise<void> {
  const { client, clock, random, log, informers, signal } = context;
  const claims = informers.of(persistentVolumeClaims);
  const volumes = informers.of(persistentVolumes);
  const classes = informers.of(storageClasses);
  const queue = new WorkQueue(clock, context.queues?.named('volume_expand'));
  const recorder = createRecorder(
    client,
    clock,
    random,
    `external-resizer ${LOCAL_PROVISIONER}`,
    '',
    log,
    signal,
  );
  const expander = new Expander(context, recorder);
  const claimChanged = (claim: Stored<PersistentVolumeClaim>): void => {
    if (claim.spec.volumeName) queue.add(keyOf(claim));
  };
  const volumeChanged = ({ spec: { claimRef } }: Stored<PersistentVolume>): void => {
    if (claimRef?.name)
      queue.add(keyOf({ metadata: { namespace: claimRef.namespace, name: claimRef.name } }));
  };
  const everyClaim = (): void => {
    for (const claim of claims.list()) claimChanged(claim);
  };
  const unsubscribe = [
    claims.subscribe({
      added: claimChanged,
      updated: claimChanged,
      deleted: (claim) => expander.forget(keyOf(claim)),
    }),
    volumes.subscribe({ added: volumeChanged, updated: volumeChanged }),
    classes.subscribe({ updated: everyClaim }),
  ];
  try {
    await Promise.all([claims.synced(), volumes.synced(), classes.synced()]);
    await runWorkers(queue, WORKERS, (key) => expander.reconcile(key), log, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    queue.shutDown();
    for (const end of unsubscribe) end();
  }
}

class Expander {
  readonly #context: RunContext;
  readonly #recorder: EventRecorder;
  /** The last refusal of each claim: the same one is not told again. */
  readonly #refused = new Map<string, string>();

  constructor(context: RunContext, recorder: EventRecorder) {
    this.#context = context;
    this.#recorder = recorder;
  }

  forget(key: string): void {
    this.#refused.delete(key);
  }

  /** One step; what it changes brings the claim back for the next. */
  async reconcile(key: string): Promise<void> {
    const { client, clock, informers } = this.#context;
    const { namespace, name } = parseKey(key);
    const claim = informers.of(persistentVolumeClaims).get(namespace, name);
    if (!claim?.spec.volumeName) return;
    const volume = informers.of(persistentVolumes).get(undefined, claim.spec.volumeName);
    const storageClass = informers.of(storageClasses).get(undefined, classNameOf(claim));
    const step = planExpand({ claim, volume, storageClass, now: clock.now() });
    switch (step.type) {
      case 'nothing':
        return;
      case 'refuse':
        if (this.#refused.get(key) === step.message) return;
        this.#refused.set(key, step.message);
        return this.#tell(claim, 'Warning', 'VolumeResizeFailed', step.message);
      case 'begin': {
        const message = `External resizer is resizing volume ${claim.spec.volumeName}`;
        return this.#say(claim, step, 'Resizing', message);
      }
      case 'raise': {
        if (!volume) return;
        const capacity = { ...volume.spec.capacity, storage: step.storage };
        const raised = { ...volume, spec: { ...volume.spec, capacity } };
        await client.update(persistentVolumes, structuredClone(raised));
        return;
      }
      case 'hand over':
        return this.#say(
          claim,
          step,
          'FileSystemResizeRequired',
          'Require file system resize of volume on node',
        );
    }
  }

  async #say(
    claim: Stored<PersistentVolumeClaim>,
    { conditions }: Extract<ExpandStep, { conditions: unknown }>,
    reason: string,
    message: string,
  ): Promise<void> {
    const body = structuredClone({ ...claim, status: { ...claim.status, conditions } });
    await this.#context.client.update(persistentVolumeClaims, body, { subresource: 'status' });
    this.#tell(claim, 'Normal', reason, message);
  }

  #tell(
    claim: Stored<PersistentVolumeClaim>,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
  ): void {
    this.#recorder.event(claim, type, reason, message);
  }
}
