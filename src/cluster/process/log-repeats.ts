// Keeps what repeats from filling the log: a warning or an error is said once, then counted, and after a while one line says
// how often it has come again. It is the same if level, room, message and the error's own words are; fields may differ.
import type { CancelTimer, Clock } from '../../base/clock.ts';
import { errorText } from '../../base/error-text.ts';
import type { Log, LogFields } from '../../base/log.ts';

export interface QuietLog extends Log {
  /** Says what has been counted and not said. */
  close(): void;
}

/** How long repetitions are counted before they are told; longer each time that they go on. */
const FIRST_WINDOW_MS = 60_000;
const LONGEST_WINDOW_MS = 3_600_000;
/** So many different ones are told apart; the oldest is forgotten for another. */
const MOST = 500;
/** By so many characters. */
const LONGEST_KEY = 1000;

/** Lines that can come again. */
interface Repeated {
  say(message: string, fields: LogFields | undefined): void;
  message: string;
  /** Since it was last said. */
  count: number;
  lastFields: LogFields | undefined;
  windowMs: number;
  cancel: CancelTimer;
}

/** @param log gets each line once, and the counts. */
export function withoutRepeats(log: Log, clock: Clock): QuietLog {
  const known = new Map<string, Repeated>();

  const tell = (repeated: Repeated): void => {
    const { count, lastFields, message, windowMs } = repeated;
    if (count === 0) return;
    repeated.say(
      `${message} (repeated ${count} times in ${windowMs / 1000} s; the last of them)`,
      lastFields,
    );
    repeated.count = 0;
  };
  const endWindow = (key: string, repeated: Repeated): void => {
    if (repeated.count === 0) return void known.delete(key);
    tell(repeated);
    repeated.windowMs = Math.min(repeated.windowMs * 2, LONGEST_WINDOW_MS);
    repeated.cancel = clock.after(repeated.windowMs, () => endWindow(key, repeated));
  };
  const forget = (key: string, repeated: Repeated): void => {
    repeated.cancel();
    tell(repeated);
    known.delete(key);
  };
  /** Whether it is said for the first time. */
  const isNew = (
    text: string,
    message: string,
    fields: LogFields | undefined,
    say: Repeated['say'],
  ): boolean => {
    const key = text.slice(0, LONGEST_KEY);
    const repeated = known.get(key);
    if (repeated) {
      repeated.count++;
      repeated.lastFields = fields;
      return false;
    }
    const [oldest] = known;
    if (oldest && known.size >= MOST) forget(...oldest);
    const fresh = { say, message, count: 0, lastFields: fields, windowMs: FIRST_WINDOW_MS };
    const entry: Repeated = { ...fresh, cancel: clock.after(FIRST_WINDOW_MS, () => endWindow(key, entry)) };
    known.set(key, entry);
    return true;
  };

  const wrap = (inner: Log, room: string): Log => ({
    debug: (message, fields) => inner.debug(message, fields),
    info: (message, fields) => inner.info(message, fields),
    warn(message, fields) {
      const say: Repeated['say'] = (text, last) => inner.warn(text, last);
      if (isNew(`warn ${room} ${message}`, message, fields, say)) inner.warn(message, fields);
    },
    error(message, error, fields) {
      const words = errorText(error);
      // Where it came from is in the first line; a count needs no stack.
      const say: Repeated['say'] = (text, last) => inner.error(text, words, last);
      if (isNew(`error ${room} ${message} ${words}`, message, fields, say))
        inner.error(message, error, fields);
    },
    named: (name) => wrap(inner.named(name), name),
  });

  return {
    ...wrap(log, ''),
    close() {
      for (const [key, repeated] of known) forget(key, repeated);
    },
  };
}
