// What the pod worker needs of the volumes of a pod: make them ready before its containers start, take them down
// after they have gone. local/ makes and mounts the bytes of PersistentVolumes; one file here for each volume type.
import type { Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';

/** Where a volume of the pod lies on this machine. */
export interface ReadyVolume {
  hostPath: string;
  /** Nothing may be written to it through this pod. */
  readOnly: boolean;
  /** Its mount is read-only by itself, with options that the runtime must leave as they are. */
  sealed?: boolean;
}

/** One volumeMount of a container. */
export interface MountPlace {
  podUid: string;
  container: string;
  /** Among the container's volumeMounts. */
  index: number;
}

/** A volume is not ready yet; the worker says so on the pod and tries again. */
export class VolumeNotReadyError extends Error {
  /** The event's reason: FailedMount, FailedAttachVolume; InspectFailed: its image has a name that can be none. */
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface PodVolumes {
  /**
   * Idempotent. Returns the volumes by name; throws `VolumeNotReadyError` naming the volume and the cause.
   * @param signal gives up what takes long (pulling an image, going through all files): the pod is to end.
   */
  setUp(pod: Stored<Pod>, signal?: AbortSignal): Promise<Map<string, ReadyVolume>>;
  /** Brings projected content (configMap, secret, downwardAPI) up to date in a running pod. */
  refresh(pod: Stored<Pod>): Promise<void>;
  /**
   * Makes one path inside a volume ready for one mount, anew for each start of its container. The path is made if it
   * is missing, and is safe from pods that swap what is on its way.
   * @returns what to mount.
   * @throws Error if the path leads out of the volume.
   */
  subPath(place: MountPlace, volume: ReadyVolume, path: string): Promise<string>;
  /** Idempotent; also for pods that this process never saw. Leaves the bytes of persistent volumes. */
  tearDown(podUid: string): Promise<void>;
  /** UIDs of the pods for which something is set up on this machine. */
  podsOnDisk(): Promise<string[]>;
}
