// What a room says to the operator's log: structured, one line an entry. The writer is handed in by cluster/.

export type LogFields = Record<string, string | number | boolean | undefined>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** For what should not happen; `error` is the cause. */
  error(message: string, error: unknown, fields?: LogFields): void;
  /** The same log with a name in front: `statefulset`, `node`. */
  named(name: string): Log;
}

/** Says nothing. For tests that look at results. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  named: () => silentLog,
};
