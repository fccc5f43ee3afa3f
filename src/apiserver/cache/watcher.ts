// One running watch: takes the changes of a resource, keeps those of its selection, and holds them until whoever
// reads fetches them. Its backlog is bounded: a reader that falls too far behind is cut off and resumes later.

import type { WatchEvent, WatchStream } from '../../api/list-watch.ts';
import type { KubeObject, Stored } from '../../api/objects.ts';
import { present } from '../../base/present.ts';
import { atRevision } from '../codec.ts';
import type { Selection } from './selection.ts';

/** Events that a watcher may leave unread before it is cut off. */
export const WATCHER_BACKLOG_LIMIT = 10_000;

/** A change of one object; `event` is what watchers without selectors are sent, shared by all of them. */
export interface Change {
  revision: number;
  event: WatchEvent & { object: Stored };
  previous: Stored | undefined;
}

export class Watcher implements WatchStream {
  readonly #selection: Selection;
  readonly #onStop: (() => void)[] = [];
  #pending: WatchEvent[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #limit = WATCHER_BACKLOG_LIMIT;
  #held = false;

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  /** Calls back when the watch has ended, whoever ended it. */
  onStop(action: () => void): void {
    if (this.#ended) action();
    else this.#onStop.push(action);
  }

  /** What there was when the watch began is still being read: nothing is told before it. */
  hold(): void {
    this.#held = true;
  }

  /** What there was when the watch began, to be told before all else; does not count towards the backlog's limit. */
  begin(events: readonly WatchEvent[]): void {
    this.#held = false;
    this.#limit += events.length;
    this.#pending = [...events, ...this.#pending];
    this.#rouse();
  }

  /** Tells the watcher of a change; objects that enter or leave the selection are added or deleted to it. */
  take(change: Change): void {
    const event = seenBy(this.#selection, change);
    if (event) this.push(event);
  }

  push(event: WatchEvent): void {
    if (this.#ended) return;
    if (this.#pending.length >= this.#limit) {
      this.#pending = [];
      this.stop();
      return;
    }
    this.#pending.push(event);
    this.#rouse();
  }

  async next(): Promise<readonly WatchEvent[] | undefined> {
    while ((this.#held || this.#pending.length === 0) && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#held || this.#pending.length === 0) return undefined;
    const events = this.#pending;
    this.#pending = [];
    this.#limit = WATCHER_BACKLOG_LIMIT;
    return events;
  }

  /** Ends the watch; what has come so far can still be read. */
  stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const action of this.#onStop) action();
    this.#rouse();
  }

  #rouse(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

function seenBy({ namespace, matches }: Selection, change: Change): WatchEvent | undefined {
  const { event, previous } = change;
  if (namespace && event.object.metadata.namespace !== namespace) return undefined;
  if (!matches) return event;
  const before = previous !== undefined && matches(previous);
  const after = event.type !== 'DELETED' && matches(event.object);
  if (before && after) return event;
  if (after) return event.type === 'ADDED' ? event : { type: 'ADDED', object: event.object };
  if (!before) return undefined;
  return event.type === 'DELETED'
    ? event
    : { type: 'DELETED', object: atRevision(previous, change.revision) };
}

/** A bookmark: how far the watch has come, without an object. */
export function bookmark(
  kind: { apiVersion: string; kind: string },
  revision: number,
  annotations?: Record<string, string>,
): WatchEvent {
  const object: KubeObject = {
    kind: kind.kind,
    apiVersion: kind.apiVersion,
    metadata: present({ resourceVersion: String(revision), annotations }),
  };
  return { type: 'BOOKMARK', object };
}
