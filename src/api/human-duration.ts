// Durations as people read them in the AGE column of `kubectl get`. Follows apimachinery
// pkg/util/duration/duration.go (HumanDuration): two units while they matter, then one.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** One unit, and the next smaller one unless it is zero: `5m30s`, `5m`. */
function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}

/**
 * A duration in the form of `kubectl get`: `119s`, `5m30s`, `3h12m`, `47h`, `5d4h`, `400d`, `2y35d`.
 * @param durationMs milliseconds. Up to a second in the future counts as `0s` (clocks differ); more is `<invalid>`.
 */
export function humanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / SECOND);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(durationMs / MINUTE);
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(durationMs / HOUR);
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (days < 8) return pair(days, 'd', hours % 24, 'h');
  if (days < 730) return `${days}d`;
  const years = Math.trunc(days / 365);
  return years < 8 ? pair(years, 'y', days % 365, 'd') : `${years}y`;
}

/**
 * How long ago an API time was, as `kubectl get` says it.
 * @param time RFC 3339; nothing or nonsense gives `<unknown>`.
 * @param nowMs the server's time, milliseconds since the epoch.
 */
export function ageOf(time: string | undefined, nowMs: number): string {
  const timeMs = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(timeMs) ? '<unknown>' : humanDuration(nowMs - timeMs);
}
