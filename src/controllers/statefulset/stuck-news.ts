// When a set's waiting is worth an event: once, when it begins to wait for something that does not pass by itself, and
// again when that is another thing or another reason. What was told is remembered here; after a restart the set's
// condition says that something was, so that a restart repeats nothing.
import { rootCause, sentenceOf, type Waiting } from '../../api/between/waiting.ts';
import { conditionOf } from '../../api/conditions.ts';
import type { StatefulSet } from '../../api/generated/types.ts';
import { keyOf, type NamespacedName, type Stored } from '../../api/objects.ts';
import { sameJson } from '../../base/same-json.ts';

/** Who waits for whom, and why in a word: the details may change (a longer back-off) without being news. */
interface Told {
  uid: string;
  reason?: string;
  link?: Omit<Waiting, 'because'>;
}

export class StuckNews {
  readonly #told = new Map<NamespacedName, Told>();

  /** @param set as it was before what it waits for now was written into its status. @returns the event's sentence. */
  of(set: Stored<StatefulSet>, waiting: Waiting | undefined): string | undefined {
    const key = keyOf(set);
    const { uid } = set.metadata;
    const before = this.#told.get(key);
    const isStuck = waiting !== undefined && !rootCause(waiting).passing;
    if (!isStuck) {
      this.#told.set(key, { uid });
      return undefined;
    }
    const { because, ...link } = waiting;
    const { reason } = rootCause(because);
    const now: Told = { uid, reason, link };
    this.#told.set(key, now);
    const isKnown = before?.uid === uid ? sameJson(before, now) : reason === reasonTold(set);
    return isKnown ? undefined : sentenceOf(waiting);
  }

  /** The set is gone. */
  forget(key: NamespacedName): void {
    this.#told.delete(key);
  }
}

function reasonTold(set: StatefulSet): string | undefined {
  const progressing = conditionOf(set, 'Progressing');
  return progressing?.status === 'False' ? progressing.reason : undefined;
}
