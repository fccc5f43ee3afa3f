// What a StatefulSet can ask for beyond Kubernetes: its `stead.dev/…` annotations, read and checked. They are
// annotations and not fields, so that every client and every Kubernetes takes the manifest. What they do is the
// StatefulSet controller's.
import { errorText } from '../base/error-text.ts';
import type { StatefulSet } from './generated/types.ts';
import { parseLabelSelector, type Selector } from './selectors.ts';

/** `manual`: a rollout that is stuck on a pod that never became Ready is left as it is, as upstream does. */
export const ROLLOUT_RECOVERY = 'stead.dev/rollout-recovery';
/** `1,3-5`: ordinals that get no pod. */
const RESERVE_ORDINALS = 'stead.dev/reserve-ordinals';
/** `role=primary`: pods with these labels are updated after all others. */
const UPDATE_LAST = 'stead.dev/update-last';
/** `in-place-if-possible`: pods keep their place, address and node when only images or metadata change. */
const POD_UPDATE = 'stead.dev/pod-update';
/** `true`: no pod is taken to another revision for now. */
export const PAUSED = 'stead.dev/paused';

/** Ordinals from `first` to `last`, both included. */
export interface OrdinalRange {
  first: number;
  last: number;
}

export interface StatefulSetOptions {
  recoversRollouts: boolean;
  /** Ascending, without overlaps. */
  reserved: readonly OrdinalRange[];
  updateLast: Selector | undefined;
  updatesInPlace: boolean;
  paused: boolean;
}

const NONE: StatefulSetOptions = {
  recoversRollouts: true,
  reserved: [],
  updateLast: undefined,
  updatesInPlace: false,
  paused: false,
};

/** A reserved ordinal is looked at for every pod: so many ranges are still cheap, and nobody writes more by hand. */
const MAX_RANGES = 100;
const MAX_ORDINAL = 999_999;

type Read<T> = { value: T } | { problem: string };

function oneOf<T>(text: string, values: Record<string, T>): Read<T> {
  const value = new Map(Object.entries(values)).get(text);
  return value === undefined
    ? {
        problem: `must be ${Object.keys(values)
          .map((word) => `"${word}"`)
          .join(' or ')}`,
      }
    : { value };
}

function readRanges(text: string): Read<OrdinalRange[]> {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.length > MAX_RANGES) {
    return { problem: `must have at most ${MAX_RANGES} ordinals or ranges; join neighbours as "3-5"` };
  }
  const ranges: OrdinalRange[] = [];
  for (const part of parts) {
    const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part);
    if (!match) {
      return {
        problem: `must be ordinals and ranges of ordinals up to ${MAX_ORDINAL}, separated by commas, as in "1,3-5"; "${part}" is neither`,
      };
    }
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first)
      return { problem: `the range "${part}" ends before it begins: write "${last}-${first}"` };
    ranges.push({ first, last });
  }
  return { value: joined(ranges) };
}

/** Ascending, and without overlaps: `3-5,1,4-7` is `1,3-7`. */
function joined(ranges: readonly OrdinalRange[]): OrdinalRange[] {
  const result: OrdinalRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = result.at(-1);
    if (before && range.first <= before.last + 1) before.last = Math.max(before.last, range.last);
    else result.push({ ...range });
  }
  return result;
}

function readSelector(text: string): Read<Selector> {
  if (text.trim() === '') {
    return { problem: 'must be a label selector that names at least one label, as in "role=primary"' };
  }
  try {
    return { value: parseLabelSelector(text) };
  } catch (error) {
    const why = errorText(error);
    return { problem: `must be a label selector, as in "role=primary": ${why}` };
  }
}

const READERS = {
  [ROLLOUT_RECOVERY]: (text: string) => oneOf(text, { automatic: true, manual: false }),
  [RESERVE_ORDINALS]: readRanges,
  [UPDATE_LAST]: readSelector,
  [POD_UPDATE]: (text: string) => oneOf(text, { 'in-place-if-possible': true, recreate: false }),
  [PAUSED]: (text: string) => oneOf(text, { true: true, false: false }),
} as const;

/** The annotations that a StatefulSet may have of stead's. */
export const STATEFUL_SET_ANNOTATIONS: readonly string[] = Object.keys(READERS);

/** Why the annotation cannot have this value; undefined if it can, or is not one of `STATEFUL_SET_ANNOTATIONS`. */
export function optionProblem(annotation: string, text: string): string | undefined {
  const read = new Map<string, (text: string) => Read<unknown>>(Object.entries(READERS)).get(annotation)?.(
    text,
  );
  return read && 'problem' in read ? read.problem : undefined;
}

function readOr<T>(text: string | undefined, read: (text: string) => Read<T>, otherwise: T): T {
  if (text === undefined) return otherwise;
  const result = read(text);
  return 'value' in result ? result.value : otherwise;
}

// Objects are frozen and shared: what their annotations say is read once for each version of a set.
const known = new WeakMap<object, StatefulSetOptions>();

/**
 * What the set's annotations ask for. A value that admission would refuse (the set may come from a Kubernetes that
 * does not check it) counts as not given.
 */
export function optionsOf(set: StatefulSet): StatefulSetOptions {
  const { annotations } = set.metadata;
  if (annotations === undefined) return NONE;
  const before = known.get(annotations);
  if (before) return before;
  const options: StatefulSetOptions = {
    recoversRollouts: readOr(annotations[ROLLOUT_RECOVERY], READERS[ROLLOUT_RECOVERY], NONE.recoversRollouts),
    reserved: readOr(annotations[RESERVE_ORDINALS], readRanges, []),
    updateLast: readOr<Selector | undefined>(annotations[UPDATE_LAST], readSelector, undefined),
    updatesInPlace: readOr(annotations[POD_UPDATE], READERS[POD_UPDATE], NONE.updatesInPlace),
    paused: readOr(annotations[PAUSED], READERS[PAUSED], NONE.paused),
  };
  known.set(annotations, options);
  return options;
}
