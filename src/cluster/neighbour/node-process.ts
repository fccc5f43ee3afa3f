// The life of a node process, beside the API process that starts it (neighbour.ts) and that it outlives. Until it has
// started it is that process's child and ends with it; from then on it is reached over its socket, and goes on, whoever
// dies, until it is told to end. What the machine does as a node is not here.
import type { Log } from '../../base/log.ts';
import { Metrics } from '../../base/metrics.ts';
import { httpsClient } from '../../client/https.ts';
import { patientClient, Return } from '../../client/patient.ts';
import { LockedError, lockFile } from '../../store/file-lock.ts';
import { type Paths, pathsOf } from '../disk/paths.ts';
import type { KeyPair } from '../disk/x509.ts';
import { standardOutput } from '../process/log-output.ts';
import { withoutRepeats } from '../process/log-repeats.ts';
import { logTo } from '../process/log-writer.ts';
import { systemClock, systemRandom } from '../process/system-clock.ts';
import { UserError } from '../process/user-error.ts';
import type { Machine, MachineApi, MachineConfig, startMachine } from '../roles/machine.ts';
import { type FromNode, failureOf, identityOf, type NodeConnection, type ToNode } from './node-protocol.ts';
import { serveNode } from './serve-node.ts';

const clock = systemClock;

/** The API as it is reached now: it may come back elsewhere, and with other certificates. */
class Api {
  #connection: NodeConnection | undefined;
  #endpoints = { node: { server: '' }, dns: { server: '' } };
  readonly #back = new Return();
  #first: (api: MachineApi) => void = () => {};
  /** Resolves when it is known for the first time. */
  readonly connected = new Promise<MachineApi>((resolve) => {
    this.#first = resolve;
  });

  get nodeName(): string {
    return this.#connection?.nodeName ?? '';
  }

  connect(connection: NodeConnection, ending: AbortSignal): void {
    const isFirst = this.#connection === undefined;
    this.#connection = connection;
    const { ca, nodeName, server } = connection;
    const endpoint = ({ cert, key }: KeyPair) => ({ server, ca, cert, key });
    this.#endpoints = { node: endpoint(connection.node), dns: endpoint(connection.dns) };
    const client = (who: 'node' | 'dns') =>
      patientClient(
        httpsClient(() => this.#endpoints[who]),
        clock,
        this.#back,
        ending,
      );
    if (isFirst) this.#first({ nodeName, node: client('node'), dns: client('dns') });
    this.#back.announce();
  }
}

async function run(
  start: typeof startMachine,
  paths: Paths,
  config: MachineConfig,
  api: Api,
  ending: AbortController,
  log: Log,
): Promise<void> {
  const metrics = new Metrics();
  const lock = await lockFile(paths.nodeLock).catch((error: unknown) => {
    if (!(error instanceof LockedError)) throw error;
    throw new UserError(`Another node process (pid ${error.pid}) runs on ${paths.data}.`);
  });
  const machine = await start({ paths, clock, random: systemRandom, log, metrics }, config, api.connected);
  const hello = () => ({
    pid: process.pid,
    nodeName: api.nodeName,
    identity: identityOf(config),
    description: machine.describe(),
  });
  const finish = async (how: 'stop' | 'close'): Promise<void> => {
    await machine[how]();
    ending.abort();
  };
  const closeSocket = await serveNode(paths.nodeSocket, {
    hello,
    connect: (connection) => api.connect(connection, ending.signal),
    streams: machine.streams,
    loadImage: machine.loadImage,
    listImages: machine.listImages,
    metrics: () => metrics.text(),
    stop: () => finish('stop'),
    close: () => finish('close'),
    ended: () => void leave(),
  });
  const leave = async (): Promise<void> => {
    await closeSocket();
    lock.release();
    log.named('node').info('the node process has ended', { pid: process.pid });
    process.exit();
  };
  // Whoever has started it may go from now on.
  process.off('disconnect', orphaned);
  process.send?.({ ready: hello() } satisfies FromNode, undefined, undefined, () => {
    if (process.connected) process.disconnect();
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void finish('close').then(leave, fail));
  }
  await aliveUntilItEnds(machine, ending.signal);
}

/** @throws what the node agent ended with, if it was not told to. */
async function aliveUntilItEnds(machine: Machine, ending: AbortSignal): Promise<void> {
  await machine.ended.catch((error: unknown) => {
    if (!ending.aborted) throw error;
  });
}

function orphaned(): void {
  process.exit(1);
}

function fail(error: unknown): void {
  process.exitCode = 1;
  const end = (): void => process.exit();
  if (process.connected)
    process.send?.({ failed: failureOf(error) } satisfies FromNode, undefined, undefined, end);
  else end();
}

/**
 * Makes this process, which has a channel to its parent and is given the data directory, a node process.
 * @param start makes the machine.
 */
export function runNodeProcess(start: typeof startMachine): void {
  process.once('disconnect', orphaned);
  if (!process.connected) orphaned();
  // A terminal or a reader may go; the node goes on.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  const paths = pathsOf(process.argv[2] ?? '');
  const api = new Api();
  const ending = new AbortController();
  process.on('message', (message: ToNode) => {
    if ('connection' in message) return api.connect(message.connection, ending.signal);
    const log = withoutRepeats(logTo(standardOutput(), message.logLevel, clock.now), clock);
    run(start, paths, message.config, api, ending, log).catch((error: unknown) => {
      log.error('the node process cannot go on', error);
      fail(error);
    });
  });
}
