// The provisioner of local volumes: makes the PersistentVolume of a claim, and deletes it when the claim is gone and
// the reclaim policy says so. Bytes are not made or removed here but by the node that the volume names; its
// finalizer keeps the object until they are gone. Follows sig-storage-lib-external-provisioner.

import { LOCAL_PROVISIONER } from '../api/between/local-volumes.ts';
import { classNameOf, isFullyBound, SELECTED_NODE } from '../api/between/volume-binding.ts';
import { isAlreadyExists, orUndefined } from '../api/errors.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim } from '../api/generated/types.ts';
import { keyOf, type NamespacedName, type Stored } from '../api/objects.ts';
import { nodes } from '../api/resources/nodes/definition.ts';
import { persistentVolumeClaims } from '../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../api/resources/persistent-volumes/definition.ts';
import { storageClasses } from '../api/resources/storage-classes/definition.ts';
import { assertNever } from '../base/assert-never.ts';
import { ControllerQueue, runControllerOn, watch } from '../client/controller.ts';
import { createRecorder, type EventRecorder } from '../client/events.ts';
import { type KindKey, kindKey, kindKeys } from '../client/queue-keys.ts';
import type { RunContext } from '../client/run-context.ts';
import {
  isToBeDeleted,
  type ProvisionObservation,
  type ProvisionPlan,
  planProvision,
} from './provision-plan.ts';

const BY_HOSTNAME = 'localVolumeNode';
const UNBOUND = 'unbound';

type Key = KindKey<'claim' | 'volume'>;

/** Runs the provisioner of local volumes until the context's signal. */
export async function runLocalProvisioner(context: RunContext): Promise<void> {
  await new LocalProvisioner(context).run();
}

class LocalProvisioner {
  readonly #context: RunContext;
  readonly #recorder: EventRecorder;
  /** The last refusal of each claim: the same one is not told again. */
  readonly #lastRefusal = new Map<NamespacedName, string>();

  constructor(context: RunContext) {
    this.#context = context;
    this.#recorder = createRecorder(context, LOCAL_PROVISIONER);
    const { informers } = context;
    informers.of(persistentVolumes).addIndex(BY_HOSTNAME, hostnamesOf);
    informers.of(persistentVolumeClaims).addIndex(UNBOUND, (claim) => (isFullyBound(claim) ? [] : ['']));
  }

  run(): Promise<void> {
    const { informers } = this.#context;
    const claims = informers.of(persistentVolumeClaims);
    const keyOfClaim = (claim: Stored<PersistentVolumeClaim>): Key => kindKey('claim', claim.metadata);
    const unbound = (): Key[] => claims.byIndex(UNBOUND, '').map(keyOfClaim);
    const queue = new ControllerQueue(this.#context, 'provisioner', kindKeys('claim', 'volume'));
    return runControllerOn(queue, this.#context, {
      workers: 8,
      watches: [
        watch(claims, {
          changed: (claim) => (isFullyBound(claim) ? [] : [keyOfClaim(claim)]),
          deleted: (claim) => void this.#lastRefusal.delete(keyOf(claim)),
        }),
        watch(informers.of(persistentVolumes), {
          changed: (volume) => (isToBeDeleted(volume) ? [kindKey('volume', volume.metadata)] : []),
        }),
        watch(informers.of(nodes), {
          added: unbound,
          updated: (node, old) => (nodeFacts(node) === nodeFacts(old) ? [] : unbound()),
          deleted: unbound,
        }),
        watch(informers.of(storageClasses), { added: unbound }),
      ],
      reconcile: ({ kind, namespace, name }) => {
        switch (kind) {
          case 'claim':
            return this.#provision(namespace, name);
          case 'volume':
            return this.#deleteVolume(name);
          default:
            return assertNever(kind);
        }
      },
    });
  }

  #observe(claim: Stored<PersistentVolumeClaim>): ProvisionObservation {
    const { informers } = this.#context;
    const selected = claim.metadata.annotations?.[SELECTED_NODE];
    const volumes = informers.of(persistentVolumes);
    return {
      claim,
      storageClass: informers.of(storageClasses).get(undefined, classNameOf(claim)),
      selectedNode: selected === undefined ? undefined : informers.of(nodes).get(undefined, selected),
      nodes:
        selected === undefined
          ? informers
              .of(nodes)
              .list()
              .map((node) => ({
                node,
                volumes: volumes.byIndex(BY_HOSTNAME, node.metadata.labels?.['kubernetes.io/hostname'] ?? '')
                  .length,
              }))
          : [],
    };
  }

  async #provision(namespace: string | undefined, name: string): Promise<void> {
    const { client, informers } = this.#context;
    const claim = informers.of(persistentVolumeClaims).get(namespace, name);
    if (!claim) return;
    const plan = planProvision(this.#observe(claim));
    if (plan.type === 'nothing') return;
    if (plan.type === 'refuse') return this.#refuse(claim, plan);
    const volumeName = plan.volume.metadata.name ?? '';
    if (informers.of(persistentVolumes).get(undefined, volumeName)) return;
    const key = keyOf(claim);
    const message = `External provisioner is provisioning volume for claim "${key}"`;
    this.#recorder.event(claim, 'Normal', 'Provisioning', message);
    try {
      await client.create(persistentVolumes, plan.volume);
    } catch (error) {
      // Made before, by a run that was cut off.
      if (isAlreadyExists(error)) return;
      throw error;
    }
    this.#lastRefusal.delete(key);
    const success = `Successfully provisioned volume ${volumeName}`;
    this.#recorder.event(claim, 'Normal', 'ProvisioningSucceeded', success);
  }

  async #refuse(
    claim: Stored<PersistentVolumeClaim>,
    { because: { message, reason }, reschedule }: Extract<ProvisionPlan, { type: 'refuse' }>,
  ): Promise<void> {
    const key = keyOf(claim);
    const said = `${claim.metadata.uid} ${message}`;
    if (this.#lastRefusal.get(key) !== said) {
      this.#recorder.event(claim, 'Warning', reason, message);
    }
    this.#lastRefusal.set(key, said);
    if (!reschedule) return;
    const { client } = this.#context;
    const { [SELECTED_NODE]: name = '', ...annotations } = claim.metadata.annotations ?? {};
    if (await orUndefined(client.get(nodes, { name }))) return;
    await client.update(persistentVolumeClaims, {
      ...claim,
      metadata: { ...claim.metadata, annotations },
    });
  }

  async #deleteVolume(name: string): Promise<void> {
    const { client, informers } = this.#context;
    const volume = informers.of(persistentVolumes).get(undefined, name);
    if (!volume || !isToBeDeleted(volume)) return;
    const { uid, resourceVersion } = volume.metadata;
    const options = { preconditions: { uid, resourceVersion } };
    await orUndefined(client.delete(persistentVolumes, { name }, options));
  }
}

/** What of a node can make room for a volume; its heartbeat cannot. */
function nodeFacts({ metadata: { annotations }, spec, status }: Node): string {
  return JSON.stringify([annotations, spec.unschedulable, status?.conditions?.map((each) => each.status)]);
}

/** The nodes (by hostname) that a local volume is on. */
function hostnamesOf(volume: PersistentVolume): string[] {
  const terms = volume.spec.local ? (volume.spec.nodeAffinity?.required?.nodeSelectorTerms ?? []) : [];
  return terms.flatMap((term) =>
    (term.matchExpressions ?? [])
      .filter((requirement) => requirement.key === 'kubernetes.io/hostname' && requirement.operator === 'In')
      .flatMap((requirement) => requirement.values ?? []),
  );
}
