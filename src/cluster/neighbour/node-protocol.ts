// What the API process and the node process say to each other: HTTP over a unix socket that only their owner may open.
// Every stream has a connection of its own, and so the kernel's own flow control and an end of its own: a log that nobody
// reads, or a command that reads no input, holds up no other. (Over one HTTP/2 connection they would: while Node has
// something to write on it, it reads nothing, and two sides that both write wait for each other for ever.)
import { createHash } from 'node:crypto';
import { StatusError } from '../../api/errors.ts';
import type { Status } from '../../api/generated/types.ts';
import { errorText } from '../../base/error-text.ts';
import type { KeyPair } from '../disk/x509.ts';
import type { ProcessInfo } from '../process/control-socket.ts';
import type { LogLevel } from '../process/log-writer.ts';
import { UserError } from '../process/user-error.ts';
import { VERSION } from '../process/version.ts';
import type { MachineConfig } from '../roles/machine.ts';

/** How the node reaches the API, and as whom. */
export interface NodeConnection {
  nodeName: string;
  /** `https://127.0.0.1:6443` */
  server: string;
  /** Whom to trust, PEM. */
  ca: string;
  /** Of the node itself. */
  node: KeyPair;
  /** Of the cluster's DNS server. */
  dns: KeyPair;
}

export type NodeDescription = Pick<ProcessInfo, 'dns' | 'podCidr' | 'services' | 'policies' | 'volumes'>;

/** What a node process says of itself. */
export interface NodeHello {
  pid: number;
  nodeName: string;
  /** See `identityOf`. */
  identity: string;
  description: NodeDescription;
}

/** What a node process is told while it starts, over the channel that Node gives a parent and its child. */
export type ToNode = { config: MachineConfig; logLevel: LogLevel } | { connection: NodeConnection };
/** What it answers when it has started, or when it cannot. */
export type FromNode = { ready: NodeHello } | { failed: Failure };

/** Alike for processes that can take each other's place: same version, same configuration. */
export function identityOf(config: MachineConfig): string {
  return createHash('sha256')
    .update(JSON.stringify([VERSION, config]))
    .digest('hex');
}

/** Headers of ours. */
export const SESSION = 'stead-session';
/** Which of stdin, stdout and stderr a session has. */
export const CHANNELS = 'stead-channels';
/** An error on its way from the one process to the other. */
export type Failure = { status: Status } | { message: string; isForUser: boolean };

export function failureOf(error: unknown): Failure {
  if (error instanceof StatusError) return { status: error.status };
  const message = errorText(error);
  return { message, isForUser: error instanceof UserError };
}

export function errorOf(failure: Failure): Error {
  if ('status' in failure) return new StatusError(failure.status);
  return failure.isForUser ? new UserError(failure.message) : new Error(failure.message);
}
