// The streams into this node's pods: finds the container that is meant, and says in upstream's words why there is
// none. The bytes are the runtime's and the log reader's.
import type { Duplex } from 'node:stream';
import type { LogOptions, NodeStreams, PodTarget, Session } from '../../api/between/node-streams.ts';
import { badRequest, notFound } from '../../api/errors.ts';
import { everyContainer, reportedStatuses } from '../pods/decide/view.ts';
import type { NodeServices } from '../pods/do/node-services.ts';
import type { PodManager } from '../pods/do/pod-manager.ts';
import type { PodWorker } from '../pods/do/worker.ts';
import type { Container } from '../runtime.ts';
import { readLog } from './read-log.ts';
import { logPath } from './rotate.ts';

const POD = { group: '', plural: 'pods', kind: 'Pod' };

export function nodeStreams(services: NodeServices, manager: PodManager): NodeStreams {
  const workerOf = (target: { name: string; uid: string }): PodWorker => {
    const worker = manager.worker(target.uid);
    if (worker === undefined) throw notFound(POD, target.name);
    return worker;
  };
  return {
    logs: (target, options, signal) => logsOf(services, workerOf(target), target, options, signal),
    async exec(target, options): Promise<Session> {
      return services.runtime.exec(running(workerOf(target), target).id, options);
    },
    async attach(target, options): Promise<Session> {
      return services.runtime.attach(running(workerOf(target), target).id, options);
    },
    async portForward(target, port): Promise<Duplex> {
      const sandbox = [...workerOf(target).state.sandboxes.values()].findLast((candidate) => candidate.ready);
      if (sandbox === undefined) throw badRequest(`pod "${target.name}" is not running`);
      return services.runtime.portForward(sandbox.id, port);
    },
  };
}

/** Runs of the container, newest first. */
function runsOf(worker: PodWorker, target: PodTarget): Container[] {
  if (!everyContainer(worker.pod).some((spec) => spec.name === target.container)) {
    throw badRequest(`container ${target.container} is not valid for pod ${target.name}`);
  }
  return [...worker.state.containers.values()]
    .filter((container) => container.name === target.container)
    .sort((a, b) => b.attempt - a.attempt);
}

function running(worker: PodWorker, target: PodTarget): Container {
  const container = runsOf(worker, target).find((run) => run.state === 'running');
  if (container === undefined) {
    throw badRequest(`unable to upgrade connection: container not found ("${target.container}")`);
  }
  return container;
}

function logsOf(
  services: NodeServices,
  worker: PodWorker,
  target: PodTarget,
  options: LogOptions,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const runs = runsOf(worker, target).filter((container) => container.state !== 'created');
  const { container, name } = target;
  const reported = reportedStatuses(worker.pod).find((status) => status.name === container);
  // A run that is over is the current one as long as the status shows it so; once the container waits, it is previous.
  const exited = runs.filter((candidate) => candidate.state === 'exited');
  const previous = reported?.state?.terminated && runs[0]?.state === 'exited' ? exited[1] : exited[0];
  const run = options.previous ? previous : runs[0];
  if (run === undefined) {
    if (options.previous) {
      throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
    }
    const reason = reported?.state?.waiting?.reason ?? 'ContainerCreating';
    throw badRequest(`container "${container}" in pod "${name}" is waiting to start: ${reason}`);
  }
  const path = logPath(services.logDirectory, target, container, run.attempt);
  const isRunning = (): boolean => worker.state.containers.get(run.id)?.state === 'running';
  return readLog(path, options, services.clock, isRunning, signal);
}
