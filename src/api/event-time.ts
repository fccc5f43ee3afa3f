// When what an event tells happened last: events say so in several fields, of which clients fill in one or the other.
import type { Event } from './generated/types.ts';
import type { Stored } from './objects.ts';

/** When an event was last seen, ms since the epoch. */
export function lastSeenMs({ metadata, lastTimestamp, eventTime, series }: Stored<Event>): number {
  const times = [metadata.creationTimestamp, lastTimestamp, eventTime, series?.lastObservedTime];
  return Math.max(0, ...times.flatMap((time) => (time ? [Date.parse(time)] : [])));
}
