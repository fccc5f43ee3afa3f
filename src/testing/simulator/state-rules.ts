// What must be so after every write and every start of a container, whoever did it: one pod of a name, its own claim,
// claims and volumes that stay, containers gone before their pod's object is.
import type { PersistentVolumeClaim, Pod, StatefulSet } from '../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../api/objects.ts';
import type { Machine } from './machine.ts';
import { setNameOf, wanted } from './rollout-rules.ts';
import { type Change, ordinalOf, type Truth } from './truth.ts';

export class StateRules {
  readonly #truth: Truth;
  readonly #violated: (what: string) => void;
  /** Claims whose deletion a person has asked for, by UID. */
  readonly #givenUp = new Set<string>();
  /** Pods, by name, that their sets did not want at some time, and whose claims were to go with them. */
  readonly #released = new Set<string>();
  /** By claim UID: its volume. A claim keeps the first it gets. */
  readonly #volumeOf = new Map<string, string>();
  /** By volume: the claim that has it, by UID. */
  readonly #ownerOf = new Map<string, string>();
  /** By revision: the image of its pods. */
  readonly #imageOf = new Map<string, string>();

  constructor(truth: Truth, violated: (what: string) => void) {
    this.#truth = truth;
    this.#violated = violated;
  }

  /** A person asks for the deletion of a claim, and so for the loss of what is in it. */
  giveUp(claimUid: string): void {
    this.#givenUp.add(claimUid);
  }

  changed(change: Change): void {
    if (change.kind === 'Pod') this.#pod(change.old, change.object);
    else if (change.kind === 'PersistentVolumeClaim') this.#claim(change.old, change.object);
    else if (change.kind === 'StatefulSet' && change.object) this.#set(change.object);
  }

  /** At most one pod of a name has running containers, wherever. */
  async containers(machines: readonly Machine[]): Promise<void> {
    const running = new Map<string, string>();
    for (const machine of machines) {
      const sandboxes = new Map((await machine.runtime.listSandboxes()).map((each) => [each.id, each]));
      for (const container of await machine.runtime.listContainers()) {
        if (container.state !== 'running') continue;
        const name = sandboxes.get(container.sandboxId)?.name ?? container.sandboxId;
        const here = `${container.podUid} on ${machine.name}`;
        const there = running.get(name) ?? here;
        if (there !== here) this.#violated(`two pods ${name} run: ${there}, and ${here}`);
        running.set(name, here);
      }
    }
  }

  /** The pod's object has gone: nothing of it may run. */
  async gone(pod: Stored<Pod>, machines: readonly Machine[]): Promise<void> {
    for (const machine of machines) {
      for (const { podUid, state } of await machine.runtime.listContainers()) {
        if (podUid !== pod.metadata.uid || state !== 'running') continue;
        this.#violated(`pod ${pod.metadata.name} is gone, and its containers run on ${machine.name}`);
      }
    }
  }

  #set(set: Stored<StatefulSet>): void {
    for (const name of this.#truth.claims.keys())
      if (letsGo(set, podOfClaim(name))) this.#released.add(podOfClaim(name));
  }

  #pod(old: Stored<Pod> | undefined, pod: Stored<Pod> | undefined): void {
    if (!pod) return;
    const { name, uid } = pod.metadata;
    if (old && old.metadata.uid !== uid) this.#violated(`pod ${name} was replaced without having gone`);
    for (const { name: volume, persistentVolumeClaim: claim } of pod.spec.volumes ?? []) {
      if (!claim || claim.claimName === `${volume}-${name}`) continue;
      this.#violated(`pod ${name} mounts the claim ${claim.claimName}`);
    }
    const revision = pod.metadata.labels?.['controller-revision-hash'] ?? '';
    const image = pod.spec.containers[0]?.image ?? '';
    const expected = this.#imageOf.get(revision) ?? image;
    this.#imageOf.set(revision, expected);
    if (image !== expected) this.#violated(`pod ${name} of ${revision} has image ${image}, not ${expected}`);
  }

  #claim(
    old: Stored<PersistentVolumeClaim> | undefined,
    claim: Stored<PersistentVolumeClaim> | undefined,
  ): void {
    if (!claim) {
      if (old) this.#claimGone(old);
      return;
    }
    const { name, uid } = claim.metadata;
    const volume = claim.spec.volumeName;
    if (isTerminating(claim) && !this.#mayGo(claim)) this.#violated(`claim ${name} is being deleted`);
    if (!volume) return;
    const first = this.#volumeOf.get(uid) ?? volume;
    const owner = this.#ownerOf.get(volume) ?? uid;
    if (first !== volume) this.#violated(`claim ${name} had volume ${first}, and now has ${volume}`);
    if (owner !== uid) this.#violated(`volume ${volume} is claim ${owner}'s, and now claim ${name}'s`);
    this.#volumeOf.set(uid, volume);
    this.#ownerOf.set(volume, uid);
  }

  #claimGone(claim: Stored<PersistentVolumeClaim>): void {
    const { name, uid } = claim.metadata;
    if (!this.#mayGo(claim)) this.#violated(`claim ${name} is lost`);
    for (const pod of this.#truth.pods.values()) {
      const uses = pod.spec.volumes?.some((each) => each.persistentVolumeClaim?.claimName === name);
      // A pod that no node has begun with has nothing mounted, nor has one that its node is done with.
      if (!uses || !pod.status?.startTime || pod.metadata.deletionGracePeriodSeconds === 0) continue;
      this.#violated(`claim ${name} (${uid}) is gone, and pod ${pod.metadata.name} uses it`);
    }
  }

  /** Somebody asked for it, or its set lets go, or once let go, of the claims of a pod that it does not want. */
  #mayGo({ metadata: { name, uid } }: Stored<PersistentVolumeClaim>): boolean {
    const podName = podOfClaim(name);
    if (this.#givenUp.has(uid) || this.#released.has(podName)) return true;
    const set = this.#truth.sets.get(setNameOf(podName));
    return set !== undefined && letsGo(set, podName);
  }
}

const podOfClaim = (claimName: string): string => claimName.slice(claimName.indexOf('-') + 1);

function letsGo(set: StatefulSet, podName: string): boolean {
  const isDeleted = set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled === 'Delete';
  return isDeleted && setNameOf(podName) === set.metadata.name && !wanted(set).includes(ordinalOf(podName));
}
