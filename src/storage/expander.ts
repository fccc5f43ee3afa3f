// The expander of local volumes: when a claim asks for more than its volume has, it raises the capacity of the
// volume's object and says on the claim how far it is. The bytes are the node's (node/volumes/local). Events are
// external-resizer's.

import { LOCAL_PROVISIONER } from '../api/between/local-volumes.ts';
import { classNameOf } from '../api/between/volume-binding.ts';
import type { PersistentVolumeClaim } from '../api/generated/types.ts';
import { type NamespacedName, nameOf, type ObjectKey, type Stored } from '../api/objects.ts';
import { persistentVolumeClaims } from '../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../api/resources/persistent-volumes/definition.ts';
import { storageClasses } from '../api/resources/storage-classes/definition.ts';
import { assertNever } from '../base/assert-never.ts';
import { runController, watch } from '../client/controller.ts';
import { createRecorder, type EventRecorder } from '../client/events.ts';
import type { RunContext } from '../client/run-context.ts';
import { type ExpandStep, planExpand } from './expand-plan.ts';

/** Runs the expander of local volumes until the context's signal. */
export async function runLocalExpander(context: RunContext): Promise<void> {
  const { informers } = context;
  const claims = informers.of(persistentVolumeClaims);
  const expander = new Expander(context);
  const withVolume = ({ metadata, spec }: Stored<PersistentVolumeClaim>): ObjectKey[] =>
    spec.volumeName ? [metadata] : [];
  await runController(context, 'volume_expand', {
    workers: 4,
    watches: [
      watch(claims, { changed: withVolume, deleted: (claim) => expander.forget(claim.metadata) }),
      watch(informers.of(persistentVolumes), {
        changed: ({ spec: { claimRef } }) =>
          claimRef?.name ? [{ namespace: claimRef.namespace, name: claimRef.name }] : [],
      }),
      watch(informers.of(storageClasses), { updated: () => claims.list().flatMap(withVolume) }),
    ],
    reconcile: (key) => expander.reconcile(key),
  });
}

class Expander {
  readonly #context: RunContext;
  readonly #recorder: EventRecorder;
  /** The last refusal of each claim: the same one is not told again. */
  readonly #refused = new Map<NamespacedName, string>();

  constructor(context: RunContext) {
    this.#context = context;
    this.#recorder = createRecorder(context, `external-resizer ${LOCAL_PROVISIONER}`);
  }

  forget(key: ObjectKey): undefined {
    this.#refused.delete(nameOf(key));
  }

  /** One step; what it changes brings the claim back for the next. */
  async reconcile(key: ObjectKey): Promise<void> {
    const { client, clock, informers } = this.#context;
    const claim = informers.of(persistentVolumeClaims).get(key.namespace, key.name);
    if (!claim?.spec.volumeName) return;
    const volume = informers.of(persistentVolumes).get(undefined, claim.spec.volumeName);
    const storageClass = informers.of(storageClasses).get(undefined, classNameOf(claim));
    const step = planExpand({ claim, volume, storageClass, now: clock.now() });
    switch (step.type) {
      case 'nothing':
        return;
      case 'refuse': {
        const { message, reason } = step.because;
        if (this.#refused.get(nameOf(key)) === message) return;
        this.#refused.set(nameOf(key), message);
        return this.#recorder.event(claim, 'Warning', reason, message);
      }
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
      default:
        assertNever(step);
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
    this.#recorder.event(claim, 'Normal', reason, message);
  }
}
