// What the API answers to a list and to a watch, for those who give and those who take it.
import type { Status } from './generated/types.ts';
import type { KubeObject, Stored } from './objects.ts';

export interface ObjectList<T extends KubeObject = KubeObject> {
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: Stored<T>[];
}

/**
 * One event of a watch. A BOOKMARK's object has only metadata.resourceVersion (and, at the end of the initial
 * events, the annotation `k8s.io/initial-events-end`); an ERROR's is a Status, and ends the watch.
 */
export type WatchEvent<T extends KubeObject = KubeObject> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: Stored<T> }
  | { type: 'BOOKMARK'; object: KubeObject }
  | { type: 'ERROR'; object: Status };

/**
 * A running watch. Whoever reads takes all that has come so far in one go; a watcher that lets its backlog grow
 * past the limit is cut off: its stream ends, and it resumes from the last version it saw.
 */
export interface WatchStream<T extends KubeObject = KubeObject> {
  /** Resolves with one or more events, or with undefined when the watch has ended. */
  next(): Promise<readonly WatchEvent<T>[] | undefined>;
  stop(): void;
}
