// Writes the rooms' log to a stream, one line an entry: time, level, room, message, fields.
import type { Log, LogFields } from '../../base/log.ts';

/** From what is said of every step to what should not happen. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * @param write gets whole lines.
 * @param least what is less than this is not written.
 */
export function logTo(
  write: (line: string) => void,
  least: LogLevel,
  nowMs: () => number,
  room = 'stead',
): Log {
  const entry = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least)) return;
    const pairs = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => ` ${name}=${typeof value === 'string' ? quoted(value) : value}`);
    const time = new Date(nowMs()).toISOString();
    write(`${time} ${level.toUpperCase().padEnd(5)} ${room}: ${message}${pairs.join('')}\n`);
  };
  return {
    debug: (message, fields) => entry('debug', message, fields),
    info: (message, fields) => entry('info', message, fields),
    warn: (message, fields) => entry('warn', message, fields),
    error: (message, error, fields) => {
      const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
      entry('error', `${message}: ${cause}`, fields);
    },
    named: (name) => logTo(write, least, nowMs, name),
  };
}

const quoted = (value: string): string => (/^[^\s"=]+$/.test(value) ? value : JSON.stringify(value));
