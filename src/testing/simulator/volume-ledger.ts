// Which volume is mounted where and for whom, on all machines: the bytes of the simulated cluster, as far as it has any.
// A volume is for one pod at a time, and only on the machine on which it lies.
import type { Truth } from './truth.ts';

interface Mount {
  machine: string;
  podName: string;
  podUid: string;
}

export class VolumeLedger {
  readonly #truth: Truth;
  readonly #violated: (what: string) => void;
  readonly #mounts = new Map<string, Mount>();

  constructor(truth: Truth, violated: (what: string) => void) {
    this.#truth = truth;
    this.#violated = violated;
  }

  /** Mounts a pod's claims, all or none; returns why not yet. */
  mount(mount: Mount, claims: readonly string[]): string | undefined {
    const { machine, podName, podUid } = mount;
    const volumes: string[] = [];
    for (const name of claims) {
      const claim = this.#truth.claims.get(name);
      const volume = this.#truth.volumes.get(claim?.spec.volumeName ?? '');
      if (claim?.status?.phase !== 'Bound' || !volume) return `claim ${name} is not bound`;
      const terms = volume.spec.nodeAffinity?.required?.nodeSelectorTerms ?? [];
      const isHere = terms.some((term) =>
        term.matchExpressions?.some(({ values }) => values?.includes(machine)),
      );
      if (!isHere)
        this.#violated(`pod ${podName} is on ${machine}, and its volume ${volume.metadata.name} is not`);
      volumes.push(volume.metadata.name);
    }
    for (const volume of volumes) {
      const other = this.#mounts.get(volume);
      if (other && other.podUid !== podUid) {
        this.#violated(
          `volume ${volume} is mounted for ${podName} (${podUid}), and still for ${other.podUid}`,
        );
      }
      this.#mounts.set(volume, mount);
    }
    return undefined;
  }

  /** Unmounts the volumes of one pod, or all of a machine. */
  unmount(machine: string, podUid?: string): void {
    for (const [volume, mount] of this.#mounts) {
      const isMeant = podUid === undefined || mount.podUid === podUid;
      if (mount.machine === machine && isMeant) this.#mounts.delete(volume);
    }
  }

  podsOn(machine: string): string[] {
    const mounts = [...this.#mounts.values()].filter((mount) => mount.machine === machine);
    return [...new Set(mounts.map(({ podUid }) => podUid))];
  }
}
