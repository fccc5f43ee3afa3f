// What exec and attach carry, whichever protocol brings it: up to three streams, terminal sizes, and at the end one
// status. websocket-channels.ts and spdy-channels.ts make these; remote-command.ts joins them to a session.
import type { Readable, Writable } from 'node:stream';
import type { Status } from '../../api/generated/types.ts';

export interface TerminalSize {
  Width: number;
  Height: number;
}

/** Which streams the client asked for. */
export interface Wanted {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

export interface Channels {
  stdin?: Readable | undefined;
  stdout?: Writable | undefined;
  stderr?: Writable | undefined;
  onResize(listener: (size: TerminalSize) => void): void;
  /** Sends the outcome and ends the connection; output written before goes out first. */
  finish(status: Status): Promise<void>;
  /** The client went away. */
  onGone(listener: () => void): void;
}

/** Reads what a client sends on the resize channel; anything else is ignored. */
export function readTerminalSize(text: string): TerminalSize | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || !('Width' in parsed) || !('Height' in parsed))
      return undefined;
    const { Width, Height } = parsed;
    return typeof Width === 'number' && typeof Height === 'number' ? { Width, Height } : undefined;
  } catch {
    return undefined;
  }
}
