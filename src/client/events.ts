// The event recorder: tells the API what happened to an object, for `kubectl describe` and `kubectl get events`.
// It never holds up or fails its caller; what cannot be written is dropped, with a line in the log.

import { isNotFound, StatusError } from '../api/errors.ts';
import type { Event, ObjectReference } from '../api/generated/types.ts';
import type { KubeObject } from '../api/objects.ts';
import { events } from '../api/resources/events/definition.ts';
import { sleep, timestamp } from '../base/clock.ts';
import { errorText } from '../base/error-text.ts';
import { present } from '../base/present.ts';
import { EventCorrelator } from './event-correlator.ts';
import type { RunContext } from './run-context.ts';

const MAX_WAITING = 1000;
const MAX_TRIES = 12;
const RETRY_MS = 10_000;

export interface EventRecorder {
  /**
   * Records an event.
   * @param about the object, with apiVersion and kind; or a reference, which may name a field of it.
   * @param reason one word in CamelCase: `SuccessfulCreate`.
   * @param message a sentence for people.
   * @param action what was being done, where upstream says it.
   */
  event(
    about: KubeObject | ObjectReference,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    action?: string,
  ): void;
}

type RecorderContext = Pick<RunContext, 'client' | 'clock' | 'random' | 'log' | 'signal'>;

/**
 * A recorder for one component (client-go tools/record/event.go).
 * @param context its signal ends the waiting between attempts to write.
 * @param component who speaks: `statefulset-controller`.
 * @param host the node's name, for what runs on nodes.
 */
export function createRecorder(context: RecorderContext, component: string, host?: string): EventRecorder {
  return new Recorder(context, component, host);
}

class Recorder implements EventRecorder {
  readonly #context: RecorderContext;
  readonly #component: string;
  readonly #host: string | undefined;
  readonly #correlator = new EventCorrelator();
  readonly #waiting: Event[] = [];
  #writing = false;
  #dropped = 0;
  #lastNanoseconds = 0n;

  constructor(context: RecorderContext, component: string, host: string | undefined) {
    this.#context = context;
    this.#component = component;
    this.#host = host;
  }

  event(
    about: KubeObject | ObjectReference,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    action?: string,
  ): void {
    const reference = referenceTo(about);
    if (!reference.kind || !reference.name) {
      this.#context.log.warn('an event about an object without kind or name is dropped', { reason, message });
      return;
    }
    if (this.#waiting.length >= MAX_WAITING) {
      // One line when it begins; how many, when all that waited has been written.
      if (this.#dropped++ === 0)
        this.#context.log.warn('too many events wait for the API: dropping new ones');
      return;
    }
    this.#waiting.push(this.#eventOf(reference, type, reason, message, action));
    if (!this.#writing) void this.#writeAll();
  }

  #eventOf(
    reference: ObjectReference,
    type: string,
    reason: string,
    message: string,
    action: string | undefined,
  ): Event {
    const now = this.#context.clock.now();
    const name = `${reference.name}.${this.#nanoseconds(now).toString(16)}`;
    const component = this.#component;
    const host = this.#host;
    return present({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name,
        namespace: reference.namespace || 'default',
      },
      involvedObject: reference,
      type,
      reason,
      message,
      action: action || undefined,
      source: present({ component, host: host || undefined }),
      reportingComponent: component,
      reportingInstance: host ?? '',
      count: 1,
      firstTimestamp: timestamp(now),
      lastTimestamp: timestamp(now),
    });
  }

  /** The time in nanoseconds, the digits that the clock has not by chance; each later than the one before. */
  #nanoseconds(nowMs: number): bigint {
    const now =
      BigInt(Math.floor(nowMs)) * 1_000_000n + BigInt(Math.floor(this.#context.random.next() * 1e6));
    this.#lastNanoseconds = now > this.#lastNanoseconds ? now : this.#lastNanoseconds + 1n;
    return this.#lastNanoseconds;
  }

  /** Writes what waits, one after the other. Never rejects. */
  async #writeAll(): Promise<void> {
    this.#writing = true;
    // The caller's turn ends first: it does not pay for the write.
    await undefined;
    for (let event = this.#waiting.shift(); event; event = this.#waiting.shift()) {
      if (this.#context.signal.aborted) break;
      await this.#write(event);
    }
    if (this.#dropped > 0) {
      this.#context.log.warn('events were dropped', { count: this.#dropped });
      this.#dropped = 0;
    }
    this.#writing = false;
  }

  async #write(event: Event): Promise<void> {
    const correlated = this.#correlator.correlate(event, this.#context.clock.now());
    if (!correlated) return;
    const { key, event: target } = correlated;
    let repeated = correlated.repeated;
    for (let tries = 1; ; tries++) {
      try {
        this.#correlator.written(key, repeated ? await this.#raise(target) : await this.#create(target));
        return;
      } catch (error) {
        if (repeated && isNotFound(error)) {
          // It has expired meanwhile: it begins anew, under a name of its own.
          target.metadata = event.metadata;
          repeated = false;
          continue;
        }
        if (error instanceof StatusError || tries >= MAX_TRIES || this.#context.signal.aborted) {
          this.#context.log.warn(`an event could not be written: ${errorText(error)}`, {
            reason: event.reason,
            object: event.involvedObject.name,
          });
          return;
        }
        const { clock, random, signal } = this.#context;
        await sleep(clock, RETRY_MS * (tries === 1 ? random.next() : 1), signal);
      }
    }
  }

  #create(event: Event): Promise<Event> {
    // Handed over for good: the API may freeze it.
    return this.#context.client.create(events, structuredClone(event));
  }

  #raise({ metadata, count, message, lastTimestamp }: Event): Promise<Event> {
    const key = { namespace: metadata.namespace, name: metadata.name ?? '' };
    return this.#context.client.patch(events, key, {
      type: 'merge',
      body: { count, message, lastTimestamp },
    });
  }
}

/** `ref.GetReference` upstream: which object, and which version of it. */
function referenceTo(about: KubeObject | ObjectReference): ObjectReference {
  if (!('metadata' in about)) return { ...about };
  const { apiVersion, kind, metadata } = about;
  const { namespace, name, uid, resourceVersion } = metadata;
  return present({ kind, namespace, name, uid, apiVersion, resourceVersion });
}
