// The streams into a pod that a node offers: logs, exec, attach, port-forward. The API server speaks kubectl's
// protocols in front of this interface, the node agent implements it, and neither knows the other.
import type { Duplex } from 'node:stream';

export interface ExecOptions {
  command: string[];
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

/** A running exec or attach. Streams that were not asked for are undefined. */
export interface Session {
  /** Ending it half-closes: the command reads end of file. */
  stdin?: NodeJS.WritableStream | undefined;
  stdout?: NodeJS.ReadableStream | undefined;
  stderr?: NodeJS.ReadableStream | undefined;
  resize(columns: number, rows: number): void;
  /** Resolves when the command has ended and all output was delivered; `error` if it could not be run. */
  exit: Promise<{ exitCode: number; error?: string }>;
  close(): void;
}

/** `corev1.PodLogOptions`. */
export interface LogOptions {
  follow: boolean;
  previous: boolean;
  timestamps: boolean;
  sinceTimeMs?: number;
  tailLines?: number;
  limitBytes?: number;
}

export interface PodTarget {
  namespace: string;
  name: string;
  uid: string;
  container: string;
}

/** Every method throws a `StatusError` when the pod or container is not there or not running. */
export interface NodeStreams {
  logs(target: PodTarget, options: LogOptions, signal: AbortSignal): AsyncIterable<Uint8Array>;
  exec(target: PodTarget, options: ExecOptions): Promise<Session>;
  attach(target: PodTarget, options: Omit<ExecOptions, 'command'>): Promise<Session>;
  /** A connection to a port on the pod's own loopback. */
  portForward(target: Omit<PodTarget, 'container'>, port: number): Promise<Duplex>;
}
