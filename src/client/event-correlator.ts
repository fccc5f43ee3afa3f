// What becomes of an event that is reported again and again: the same one is counted, similar ones are combined,
// and an object that has too much to say is cut short (client-go tools/record/events_cache.go). It decides;
// events.ts writes.
import { hash } from 'node:crypto';
import type { Event } from '../api/generated/types.ts';
import { present } from '../base/present.ts';
import { BoundedMap } from './bounded-map.ts';

const MAX_ENTRIES = 4096;
/** From the tenth message on within ten minutes, events that differ in nothing else are combined. */
const MAX_SIMILAR = 10;
const SIMILAR_WITHIN_MS = 600_000;
/** Events about one object: so many at once, and one more every five minutes. */
const BURST = 25;
const REFILL_MS = 300_000;

interface Similar {
  /** Digests of those that were told last, in order; no more than `MAX_SIMILAR`. */
  messages: string[];
  lastMs: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** An event that was seen before, as the API has it. */
interface Seen {
  name: string;
  count: number;
  firstTimestamp: string | undefined;
}

export interface Correlated {
  /** For the recorder to say that the event was written: see `EventCorrelator.written`. */
  key: string;
  /** To be created; or, if `repeated`, what the event of that name is to become. */
  event: Event;
  repeated: boolean;
}

export class EventCorrelator {
  readonly #similar = new BoundedMap<string, Similar>(MAX_ENTRIES);
  readonly #seen = new BoundedMap<string, Seen>(MAX_ENTRIES);
  readonly #buckets = new BoundedMap<string, Bucket>(MAX_ENTRIES);

  /** What to write for a new event at `nowMs`; undefined: nothing, its object has said too much. */
  correlate(event: Event, nowMs: number): Correlated | undefined {
    const { combined, key } = this.#combine(event, nowMs);
    const seen = this.#seen.get(key);
    const result: Event = seen
      ? present({
          ...combined,
          metadata: { ...combined.metadata, name: seen.name },
          count: seen.count + 1,
          firstTimestamp: seen.firstTimestamp,
        })
      : combined;
    this.written(key, result);
    return this.#mayPass(event, nowMs) ? { key, event: result, repeated: seen !== undefined } : undefined;
  }

  /** Remembers the event as the API has it now: the next one like it counts on from there. */
  written(key: string, { metadata, count, firstTimestamp }: Event): void {
    this.#seen.set(key, { name: metadata.name ?? '', count: count ?? 1, firstTimestamp });
  }

  #combine(event: Event, nowMs: number): { combined: Event; key: string } {
    const group = groupKey(event);
    const message = event.message ?? '';
    let similar = this.#similar.get(group);
    if (!similar || nowMs - similar.lastMs > SIMILAR_WITHIN_MS) similar = { messages: [], lastMs: nowMs };
    similar.lastMs = nowMs;
    const told = digest(message);
    if (!similar.messages.includes(told)) similar.messages.push(told);
    this.#similar.set(group, similar);
    if (similar.messages.length < MAX_SIMILAR) {
      const fieldPath = event.involvedObject.fieldPath ?? '';
      return { combined: event, key: digest(JSON.stringify([group, fieldPath, message])) };
    }
    // They only have to stay at their limit.
    similar.messages.shift();
    const combined = { ...event, message: `(combined from similar events): ${message}` };
    return { combined, key: group };
  }

  #mayPass(event: Event, nowMs: number): boolean {
    const key = objectKey(event);
    const bucket = this.#buckets.get(key) ?? { tokens: BURST, atMs: nowMs };
    const tokens = Math.min(BURST, bucket.tokens + (nowMs - bucket.atMs) / REFILL_MS);
    const pass = tokens >= 1;
    this.#buckets.set(key, { tokens: pass ? tokens - 1 : tokens, atMs: nowMs });
    return pass;
  }
}

/** The source and the object. */
function objectKey({ source, involvedObject: about }: Event): string {
  return digest(
    JSON.stringify([
      source?.component,
      source?.host,
      about.kind,
      about.namespace,
      about.name,
      about.uid,
      about.apiVersion,
    ]),
  );
}

/** All but the message. */
function groupKey(event: Event): string {
  return digest(
    JSON.stringify([
      objectKey(event),
      event.type,
      event.reason,
      event.reportingComponent,
      event.reportingInstance,
    ]),
  );
}

/** Stands for a text of any length: a recorder remembers thousands of them, and every node has a recorder. */
function digest(text: string): string {
  return hash('sha1', text, 'base64url');
}
