// Looks after the node's disks: sees when one runs short, tells the node's condition, keeps new pods away, frees what
// nobody uses, and evicts pods, those first that use more than they may (kubelet eviction/eviction_manager.go). All
// decisions are in plan.ts, limits.ts, rank.ts and unused-images.ts.

import type { Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { isCriticalPod, isPodFinished } from '../../api/pod-state.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { Counter, type Metrics } from '../../base/metrics.ts';
import type { Eviction } from '../pods/decide/observation.ts';
import { EVICTED } from '../pods/decide/plan.ts';
import type { PodEvent } from '../pods/do/pod-events.ts';
import type { Container, Runtime } from '../runtime.ts';
import type { MeasureDirectories } from './directory-sizes.ts';
import type { Disks } from './disks.ts';
import { excessOf } from './limits.ts';
import { measureUsage } from './measure-usage.ts';
import {
  allocatableBytes,
  assess,
  NO_PRESSURE,
  type PressureRules,
  type PressureState,
  resourceOf,
  thresholdsMet,
} from './plan.ts';
import { evictionMessage, ranked } from './rank.ts';
import type { Threshold } from './thresholds.ts';
import { unusedImages } from './unused-images.ts';
import { hasStorageLimits } from './usage.ts';

/** How often pods are measured. */
const MONITOR_MS = 10_000;
/** How often the disks are looked at in between: a pod fills one in seconds. */
const WATCH_MS = 1000;
/** How long an evicted pod is waited for before anything else is done. */
const CLEAN_UP_MS = 30_000;
/** Upstream's immediateEvictionGracePeriodSeconds. */
const GRACE_SECONDS = 1;

/** A pod that the node has. */
export interface HeldPod {
  readonly pod: Stored<Pod>;
  readonly state: {
    containers: ReadonlyMap<string, Container>;
    removed: boolean;
    ending: object | undefined;
    eviction: object | undefined;
    rejection: object | undefined;
  };
  evict(eviction: Eviction): void;
  reclaim(): void;
}

/** What of the machine is watched, and by which rules. */
export interface PressureOptions extends PressureRules {
  disks(): Promise<Disks>;
  measure: MeasureDirectories;
  /** Images that the node itself needs. */
  keepImages: readonly string[];
}

export interface PressureSurroundings {
  clock: Clock;
  log: Log;
  metrics: Metrics | undefined;
  signal: AbortSignal;
  runtime: Runtime;
  nodeName: string;
  dataDirectory: string;
  logDirectory: string;
  pods(): Iterable<HeldPod>;
  recordPodEvent(pod: Pod, event: PodEvent): void;
  recordNodeEvent(type: 'Normal' | 'Warning', reason: string, message: string): void;
}

export class PressureManager {
  readonly #options: PressureOptions;
  readonly #around: PressureSurroundings;
  readonly #evictions: Counter | undefined;
  #state: PressureState = NO_PRESSURE;
  #underPressure = false;
  #changed: () => void = () => {};
  #change: Promise<void>;

  constructor(options: PressureOptions, around: PressureSurroundings) {
    this.#options = options;
    this.#around = around;
    const help = 'Cumulative number of pod evictions by eviction signal';
    this.#evictions = around.metrics?.add(new Counter('kubelet_evictions', help));
    this.#change = this.#nextChange();
  }

  get diskPressure(): boolean {
    return this.#underPressure;
  }

  /** Resolves when `diskPressure` is another. */
  get change(): Promise<void> {
    return this.#change;
  }

  /** What pods may request of the disk, in bytes. */
  allocatable({ node }: Disks): number {
    return allocatableBytes(this.#options.thresholds, node);
  }

  /** Why a new pod is not taken now. */
  rejectionOf(pod: Pod): { reason: string; message: string } | undefined {
    if (!this.#underPressure || isCriticalPod(pod)) return undefined;
    return { reason: EVICTED, message: 'The node had condition: [DiskPressure]. ' };
  }

  /** Looks at the disks. To be called once before the first pod is taken in; `run` then does it by itself. */
  async look(): Promise<Disks> {
    const disks = await this.#options.disks();
    const { state, underPressure } = assess(this.#options, disks, this.#state, this.#around.clock.now());
    this.#state = state;
    if (underPressure !== this.#underPressure) {
      this.#underPressure = underPressure;
      this.#around.log.info(underPressure ? 'the node is short of disk' : 'the node has enough disk again', {
        signals: state.met.map(({ signal }) => signal).join(','),
        availableBytes: disks.node.availableBytes,
      });
      const reason = underPressure ? 'NodeHasDiskPressure' : 'NodeHasNoDiskPressure';
      const { nodeName, recordNodeEvent } = this.#around;
      recordNodeEvent('Normal', reason, `Node ${nodeName} status is now: ${reason}`);
      const tell = this.#changed;
      this.#change = this.#nextChange();
      tell();
    }
    return disks;
  }

  /** Runs until the signal. */
  async run(): Promise<void> {
    const { clock, log, signal } = this.#around;
    while (!signal.aborted) {
      try {
        const evicted = await this.#synchronize();
        if (evicted.length > 0) await this.#untilGone(evicted);
        else await this.#pause();
      } catch (error) {
        log.error('looking after the disks failed, trying again', error);
        await sleep(clock, MONITOR_MS, signal);
      }
    }
  }

  /** Until pods are to be measured again, or a disk that had room has none. */
  async #pause(): Promise<void> {
    const { clock, signal } = this.#around;
    const untilMs = clock.now() + MONITOR_MS;
    const before = this.#state.met;
    while (!signal.aborted && clock.now() < untilMs) {
      await sleep(clock, WATCH_MS, signal);
      await this.look();
      if (this.#state.met.some((threshold) => !before.includes(threshold))) return;
    }
  }

  async #untilGone(pods: readonly HeldPod[]): Promise<void> {
    const { clock, signal } = this.#around;
    const untilMs = clock.now() + CLEAN_UP_MS;
    while (!signal.aborted && clock.now() < untilMs && pods.some(({ state }) => !state.removed)) {
      await sleep(clock, WATCH_MS, signal);
    }
  }

  /** One round. Gives the pods that it evicted. */
  async #synchronize(): Promise<HeldPod[]> {
    const disks = await this.look();
    const { met } = this.#state;
    const active = [...this.#around.pods()].filter(isActive);
    const concerned = met.length > 0 ? active : active.filter(({ pod }) => hasStorageLimits(pod));
    if (concerned.length === 0) return [];
    const usages = await measureUsage(
      { ...this.#around, measure: this.#options.measure },
      concerned.map(({ pod, state }) => ({ pod, containers: [...state.containers.values()] })),
      met.some(({ signal }) => resourceOf(signal) === 'inodes'),
    );
    const excessive = concerned.filter((held) => {
      const usage = usages.get(held.pod.metadata.uid);
      const excess = usage && excessOf(held.pod, usage, disks.images !== undefined);
      if (excess === undefined || isCriticalPod(held.pod) || !isActive(held)) return false;
      this.#evict(held, excess.signal, excess.message, false);
      return true;
    });
    const [threshold] = met;
    if (excessive.length > 0 || threshold === undefined) return excessive;

    const resource = resourceOf(threshold.signal);
    this.#around.recordNodeEvent('Warning', 'EvictionThresholdMet', `Attempting to reclaim ${resource}`);
    if (await this.#reclaimUnused(threshold, disks)) return [];
    const candidates = concerned.filter(isActive).map((held) => {
      return { held, pod: held.pod, usage: usages.get(held.pod.metadata.uid) };
    });
    const [first] = ranked(candidates, threshold, disks);
    const chosen = candidates.find(({ pod }) => pod === first?.pod);
    if (chosen === undefined) return [];
    this.#evict(chosen.held, threshold.signal, evictionMessage(chosen, threshold, disks), true);
    return [chosen.held];
  }

  #evict(held: HeldPod, signal: string, message: string, isDisruption: boolean): void {
    const { log, recordPodEvent } = this.#around;
    const { name, namespace } = held.pod.metadata;
    log.info('evicting a pod', { pod: `${namespace}/${name}`, signal, message });
    recordPodEvent(held.pod, { type: 'Warning', reason: EVICTED, message });
    this.#evictions?.add({ eviction_signal: signal });
    held.evict({ message, graceSeconds: GRACE_SECONDS, isDisruption });
  }

  /** Removes what is left of pods that are over, and images that nobody uses. @returns whether that was enough. */
  async #reclaimUnused({ signal }: Threshold, disks: Disks): Promise<boolean> {
    const onImageDisk = disks.images === undefined || signal.startsWith('imagefs.');
    for (const held of this.#around.pods()) if (isPodFinished(held.pod)) held.reclaim();
    if (onImageDisk) await this.#removeUnusedImages();
    return thresholdsMet(this.#options.thresholds, await this.#options.disks(), true).length === 0;
  }

  async #removeUnusedImages(): Promise<void> {
    const { log, pods, runtime } = this.#around;
    const [images, containers] = await Promise.all([runtime.listImages(), runtime.listContainers()]);
    const specs = [...pods()].map(({ pod }) => pod);
    for (const { id, sizeBytes, tags } of unusedImages(images, containers, specs, this.#options.keepImages)) {
      try {
        await runtime.removeImage(id);
        log.info('removed an image that nobody uses, for want of space', { image: tags[0] ?? id, sizeBytes });
      } catch (error) {
        log.warn('removing an unused image failed', { image: tags[0] ?? id, error: String(error) });
      }
    }
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve;
    });
  }
}

/** Whether a pod takes part: something of it runs or has run, and it is not on its way out already. */
function isActive({ pod, state }: HeldPod): boolean {
  return (
    state.containers.size > 0 &&
    !state.removed &&
    state.ending === undefined &&
    state.eviction === undefined &&
    state.rejection === undefined &&
    !isPodFinished(pod)
  );
}
