// What resolvers beyond the cluster have said, for as long as they said it holds: never names of the cluster, which
// change in the same step as what they are made from. Bounded in entries and in bytes; the longest unused goes first.
import type { Clock } from '../../base/clock.ts';
import type { ResolverMessage } from './resolver-message.ts';

export interface CacheLimits {
  entries: number;
  bytes: number;
}

/** Some ten thousand names are more than a machine's pods ask for in the time that answers hold. */
const CACHE_LIMITS: CacheLimits = { entries: 10_000, bytes: 16 * 2 ** 20 };
/** Longer than this nothing is believed, as by CoreDNS; in seconds. */
const MOST_POSITIVE_SECONDS = 3_600;
const MOST_NEGATIVE_SECONDS = 1_800;
/** What an entry takes beside its bytes, about. */
const ENTRY_BYTES = 600;

interface Entry {
  message: ResolverMessage;
  storedAtMs: number;
  endsAtMs: number;
  bytes: number;
}

export class ResolverCache {
  readonly #entries = new Map<string, Entry>();
  readonly #clock: Clock;
  readonly #limits: CacheLimits;
  #bytes = 0;

  constructor(clock: Clock, limits: CacheLimits = CACHE_LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** What is held now. */
  get size(): CacheLimits {
    return { entries: this.#entries.size, bytes: this.#bytes };
  }

  /** What was said, and how many seconds ago; undefined if it holds no more. */
  get(key: string): { message: ResolverMessage; ageSeconds: number } | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#remove(key, entry);
    const nowMs = this.#clock.now();
    // A clock that was set back makes nothing younger than it is.
    if (nowMs >= entry.endsAtMs || nowMs < entry.storedAtMs) return undefined;
    this.#add(key, entry);
    return { message: entry.message, ageSeconds: Math.floor((nowMs - entry.storedAtMs) / 1000) };
  }

  /** Keeps an answer that says for how long it holds, and is whole. */
  put(key: string, message: ResolverMessage): void {
    const most = message.isNegative ? MOST_NEGATIVE_SECONDS : MOST_POSITIVE_SECONDS;
    const seconds = Math.min(message.ttlSeconds, most);
    if (seconds <= 0 || message.truncated) return;
    const old = this.#entries.get(key);
    if (old) this.#remove(key, old);
    const storedAtMs = this.#clock.now();
    const bytes = ENTRY_BYTES + key.length + message.bytes.length + 64 * message.records.length;
    this.#add(key, { message, storedAtMs, endsAtMs: storedAtMs + seconds * 1000, bytes });
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= this.#limits.entries && this.#bytes <= this.#limits.bytes) break;
      this.#remove(oldest, entry);
    }
  }

  #add(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
  }

  #remove(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}
