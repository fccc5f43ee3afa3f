// Brings the status of one pod to the API: only what changed, one write at a time, the newest wins (kubelet
// status/status_manager.go). Conditions that others write (readiness gates) are never lost.

import { isConflict, isNotFound, StatusError } from '../../../api/errors.ts';
import type { Pod, PodStatus } from '../../../api/generated/types.ts';
import type { Stored } from '../../../api/objects.ts';
import { pods } from '../../../api/resources/pods/definition.ts';
import type { Clock } from '../../../base/clock.ts';
import { sleep } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import { restAfter } from '../../../base/rest.ts';
import { sameJson } from '../../../base/same-json.ts';
import type { Client } from '../../../client/client.ts';
import { doubled } from '../decide/backoff.ts';
import { isLarge } from '../decide/view.ts';
import { RESIZE_CONDITIONS, TERMINATED_BY_NODE } from './status.ts';

/** How long a write that failed waits at first and at most. */
const RETRY_MS = 500;
const MAX_RETRY_MS = 15_000;
const INVALID = 422;

export class StatusWriter {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #written: (pod: Stored<Pod>) => void;
  #pod: Stored<Pod>;
  #desired: PodStatus | undefined;
  /** What the API does not take. */
  #refused: PodStatus | undefined;
  #writing: Promise<void> | undefined;
  readonly #end = new AbortController();

  /** `written` is told the pod as the API has it after each write. */
  constructor(client: Client, clock: Clock, log: Log, pod: Stored<Pod>, written: (pod: Stored<Pod>) => void) {
    this.#client = client;
    this.#clock = clock;
    this.#log = log;
    this.#pod = pod;
    this.#written = written;
  }

  /** The pod as last seen in the API. */
  observe(pod: Stored<Pod>): void {
    if (!isOlder(pod, this.#pod)) this.#pod = pod;
  }

  /** Writes soon, if it differs from what the API has. */
  set(status: PodStatus): void {
    this.#desired = status;
    if (this.#refused !== undefined && sameJson(this.#refused, status)) return;
    if (this.#writing === undefined && !this.#end.signal.aborted && this.#differs(status)) {
      this.#writing = this.#writeAll().finally(() => {
        this.#writing = undefined;
      });
    }
  }

  /** Resolves when the API has the status that was set last, or the pod is gone. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  /** Begins no more writes; one that is under way ends. */
  close(): void {
    this.#end.abort();
  }

  #differs(status: PodStatus): boolean {
    return !sameJson(this.#pod.status ?? {}, merged(this.#pod.status, status));
  }

  async #writeAll(): Promise<void> {
    let delayMs = RETRY_MS;
    let said: string | undefined;
    while (!this.#end.signal.aborted && this.#desired !== undefined && this.#differs(this.#desired)) {
      const status = merged(this.#pod.status, this.#desired);
      const startedMs = this.#clock.now();
      try {
        const stored = await this.#client.update(pods, { ...this.#pod, status }, { subresource: 'status' });
        this.observe(stored);
        this.#written(stored);
        // What changes meanwhile is one write.
        const restMs = isLarge(stored) ? restAfter(this.#clock.now() - startedMs) : 0;
        if (restMs > 0) await sleep(this.#clock, restMs, this.#end.signal);
      } catch (error) {
        if (isNotFound(error)) return;
        if (isConflict(error)) {
          if (!(await this.#reload())) return;
          continue;
        }
        const { name, namespace } = this.#pod.metadata;
        const pod = `${namespace}/${name}`;
        if (error instanceof StatusError && error.code === INVALID) {
          // What is not valid now is not valid later: the pod goes on, and its next status is tried.
          this.#refused = this.#desired;
          this.#log.error('the status of a pod is refused', error, { pod });
          return;
        }
        if (said !== String(error)) {
          this.#log.error('writing the status of a pod failed, trying again', error, { pod });
        }
        said = String(error);
        await sleep(this.#clock, delayMs, this.#end.signal);
        delayMs = doubled(delayMs, MAX_RETRY_MS);
      }
    }
  }

  /** False when the pod is gone or is another of the same name. */
  async #reload(): Promise<boolean> {
    const { namespace, name, uid } = this.#pod.metadata;
    try {
      const fresh = await this.#client.get(pods, { namespace, name });
      if (fresh.metadata.uid !== uid) return false;
      this.observe(fresh);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      await sleep(this.#clock, RETRY_MS, this.#end.signal);
      return true;
    }
  }
}

const OURS = new Set<string>([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  ...RESIZE_CONDITIONS,
]);

/** Our status with the conditions of others as the API has them now, and fields that are not the node's. */
function merged(api: PodStatus | undefined, ours: PodStatus): PodStatus {
  const result: PodStatus = { ...api, ...ours };
  for (const field of ['podIP', 'podIPs', 'reason', 'message'] as const) {
    if (ours[field] === undefined) delete result[field];
  }
  const { reason, type } = TERMINATED_BY_NODE;
  const evicted = ours.conditions?.find(
    (condition) => condition.type === type && condition.reason === reason,
  );
  const foreign = (api?.conditions ?? []).filter(
    (condition) => !OURS.has(condition.type) && condition.type !== evicted?.type,
  );
  const scheduled = api?.conditions?.find((condition) => condition.type === 'PodScheduled');
  const own = (ours.conditions ?? [])
    .filter((condition) => OURS.has(condition.type))
    .map((condition) => {
      if (condition.type !== 'PodScheduled' || scheduled?.status !== 'True') return condition;
      const { observedGeneration } = condition;
      return { ...scheduled, ...(observedGeneration !== undefined && { observedGeneration }) };
    });
  result.conditions = [...own, ...(evicted ? [evicted] : []), ...foreign];
  return result;
}

function isOlder(a: Stored<Pod>, b: Stored<Pod>): boolean {
  return Number(a.metadata.resourceVersion) < Number(b.metadata.resourceVersion);
}
