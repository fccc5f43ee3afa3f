// What is really so, whoever knows it: read off the store the moment it is written, never late and never lost. It
// remembers of every pod when it was fit, and when each version came, so that one can ask what somebody who looked at
// an older version could have known. Judging is the invariants' business.
import { conditionOf, isReady } from '../../api/conditions.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod, StatefulSet } from '../../api/generated/types.ts';
import { controllerOf, isTerminating, type KubeObject, type Stored } from '../../api/objects.ts';
import { persistentVolumeClaims } from '../../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../../api/resources/persistent-volumes/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { statefulSets } from '../../api/resources/stateful-sets/definition.ts';
import { decodeStored, seal } from '../../apiserver/codec.ts';
import { prefixOf, prefixOfKey } from '../../apiserver/keys.ts';
import type { StoreEvent } from '../../store/store.ts';

/** A time in which a pod was Running, Ready and not going. */
interface Fit {
  startMs: number;
  /** When it says that it became Ready, ms. */
  readyAtMs: number;
  /** Undefined: it still is. */
  endMs: number | undefined;
}

/** One pod object from its creation to its end. */
interface PodLife {
  pod: Stored<Pod>;
  fits: Fit[];
  /** The statefulset controller has asked for its deletion. */
  deletedByController: boolean;
}

const RESOURCES = [pods, statefulSets, persistentVolumeClaims, persistentVolumes] as const;
const BY_PREFIX = new Map<string, (typeof RESOURCES)[number]>(
  RESOURCES.map((resource) => [prefixOf(resource as typeof pods), resource]),
);

/** The change of one object that matters here. */
export type Change =
  | { kind: 'Pod'; old: Stored<Pod> | undefined; object: Stored<Pod> | undefined }
  | { kind: 'StatefulSet'; old: Stored<StatefulSet> | undefined; object: Stored<StatefulSet> | undefined }
  | {
      kind: 'PersistentVolumeClaim';
      old: Stored<PersistentVolumeClaim> | undefined;
      object: Stored<PersistentVolumeClaim> | undefined;
    }
  | {
      kind: 'PersistentVolume';
      old: Stored<PersistentVolume> | undefined;
      object: Stored<PersistentVolume> | undefined;
    };

export class Truth {
  /** By name: the pod that is there. */
  readonly pods = new Map<string, Stored<Pod>>();
  readonly sets = new Map<string, Stored<StatefulSet>>();
  readonly claims = new Map<string, Stored<PersistentVolumeClaim>>();
  readonly volumes = new Map<string, Stored<PersistentVolume>>();
  /** By name: the newest pod, there or gone. */
  readonly #lives = new Map<string, PodLife>();
  /** By name: when which version came; a deletion is a version, too. */
  readonly #versions = new Map<string, { revision: number; atMs: number; gone: boolean }[]>();

  /** Takes what the store tells; undefined if it is about something else. */
  take(event: StoreEvent, nowMs: number): Change | undefined {
    const key = event.type === 'put' ? event.entry.key : event.key;
    const resource = BY_PREFIX.get(prefixOfKey(key));
    if (!resource) return undefined;
    const name = key.slice(key.lastIndexOf('/') + 1);
    const revision = event.type === 'put' ? event.entry.revision : event.revision;
    // The prefix says of which kind the object is.
    const object = event.type === 'put' ? read(resource as typeof pods, event.entry) : undefined;
    switch (resource) {
      case pods: {
        const pod = object as Stored<Pod> | undefined;
        const old = put(this.pods, name, pod);
        this.#noteVersion(name, revision, nowMs, pod === undefined);
        if (pod) this.#live(pod, nowMs);
        else this.#end(name, nowMs);
        return { kind: 'Pod', old, object: pod };
      }
      case statefulSets: {
        const set = object as Stored<StatefulSet> | undefined;
        return { kind: 'StatefulSet', old: put(this.sets, name, set), object: set };
      }
      case persistentVolumeClaims: {
        const claim = object as Stored<PersistentVolumeClaim> | undefined;
        return { kind: 'PersistentVolumeClaim', old: put(this.claims, name, claim), object: claim };
      }
      default: {
        const volume = object as Stored<PersistentVolume> | undefined;
        return { kind: 'PersistentVolume', old: put(this.volumes, name, volume), object: volume };
      }
    }
  }

  /** The pods that the set controls, by ordinal. */
  podsOf(set: Stored<StatefulSet>): Map<number, Stored<Pod>> {
    const owned = new Map<number, Stored<Pod>>();
    for (const [name, pod] of this.pods) {
      if (controllerOf(pod)?.uid === set.metadata.uid) owned.set(ordinalOf(name), pod);
    }
    return owned;
  }

  /** The statefulset controller asks for the deletion of a pod. */
  noteDeletion(podName: string, uid: string | undefined): void {
    const life = this.#lives.get(podName);
    if (life && (uid === undefined || life.pod.metadata.uid === uid)) life.deletedByController = true;
  }

  /**
   * Since when somebody who knows this version of a pod (or none) has not been up to date; `nowMs` if he is.
   * @param revision the version that is known; 0: no pod of this name is known.
   */
  outdatedSince(podName: string, revision: number, nowMs: number): number {
    const versions = this.#versions.get(podName) ?? [];
    if (revision > 0) return versions.find((version) => version.revision > revision)?.atMs ?? nowMs;
    if (!this.pods.has(podName)) return nowMs;
    const created = versions.findLastIndex((version) => version.gone) + 1;
    return versions[created]?.atMs ?? nowMs;
  }

  /**
   * Whether somebody who has looked at some time since then may take the pod for available. What the statefulset
   * controller has itself put an end to, it knows about.
   */
  couldSeemAvailable(podName: string, sinceMs: number, nowMs: number, minReadySeconds: number): boolean {
    const life = this.#lives.get(podName);
    if (!life || life.deletedByController) return false;
    return life.fits.some(({ readyAtMs, endMs = nowMs }) => {
      return endMs >= sinceMs && readyAtMs + minReadySeconds * 1000 <= nowMs;
    });
  }

  /** Whether somebody who has looked at some time since then may think that the pod has never been fit. */
  couldSeemNeverFit(podName: string, sinceMs: number): boolean {
    return this.#lives.get(podName)?.fits.every(({ startMs }) => startMs >= sinceMs) ?? false;
  }

  #live(pod: Stored<Pod>, nowMs: number): void {
    const { name, uid } = pod.metadata;
    let life = this.#lives.get(name);
    if (life?.pod.metadata.uid !== uid) {
      life = { pod, fits: [], deletedByController: false };
      this.#lives.set(name, life);
    }
    life.pod = pod;
    const last = life.fits.at(-1);
    const readyAtMs = fitSince(pod);
    if (last?.endMs === undefined && last?.readyAtMs === readyAtMs) return;
    if (last && last.endMs === undefined) last.endMs = nowMs;
    if (readyAtMs !== undefined) life.fits.push({ startMs: nowMs, readyAtMs, endMs: undefined });
  }

  #end(name: string, nowMs: number): void {
    const life = this.#lives.get(name);
    const last = life?.fits.at(-1);
    if (last) last.endMs ??= nowMs;
  }

  #noteVersion(name: string, revision: number, atMs: number, gone: boolean): void {
    const versions = this.#versions.get(name) ?? [];
    versions.push({ revision, atMs, gone });
    this.#versions.set(name, versions);
  }
}

/** When a pod that is fit became so, ms; undefined for others. */
function fitSince(pod: Pod): number | undefined {
  if (isTerminating(pod) || pod.status?.phase !== 'Running' || !isReady(pod)) return undefined;
  return Date.parse(conditionOf(pod, 'Ready')?.lastTransitionTime ?? '');
}

function read(resource: typeof pods, entry: { value: Uint8Array; revision: number }): Stored<KubeObject> {
  return seal(decodeStored(resource, entry.value), entry.revision, entry.value);
}

function put<T>(map: Map<string, T>, name: string, value: T | undefined): T | undefined {
  const old = map.get(name);
  if (value === undefined) map.delete(name);
  else map.set(name, value);
  return old;
}

/** The number at the end of a pod's name. */
export function ordinalOf(podName: string): number {
  return Number(podName.slice(podName.lastIndexOf('-') + 1));
}
