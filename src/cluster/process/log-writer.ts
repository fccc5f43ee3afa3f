// Writes the rooms' log to a stream, one line an entry: time, level, room, message, fields.
import type { Log, LogFields } from '../../base/log.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** @param write gets whole lines. */
export function logTo(
  write: (line: string) => void,
  least: LogLevel,
  nowMs: () => number,
  room = 'stead',
): Log {
  const entry = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (ORDER.indexOf(level) < ORDER.indexOf(least)) return;
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
