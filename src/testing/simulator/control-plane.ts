// The control plane process of a simulated cluster: every controller and the scheduler over shared informers, as
// cluster/ runs them, on a client that fails. It can be killed at any instruction and started again.

import type { User } from '../../apiserver/request.ts';
import type { Clock } from '../../base/clock.ts';
import { type Log, silentLog } from '../../base/log.ts';
import type { Informers } from '../../client/informers.ts';
import { followKinds, type Kinds } from '../../client/kinds.ts';
import type { RunContext } from '../../client/run-context.ts';
import { createInformers } from '../../client/shared-informers.ts';
import { controllers } from '../../cluster/roles/controllers.ts';
import { CONTROLLER_MANAGER, controllerUser, SCHEDULER } from '../../cluster/roles/identities.ts';
import { lead } from '../../cluster/roles/lead.ts';
import { runStatefulSetController } from '../../controllers/statefulset/controller.ts';
import type { plan } from '../../controllers/statefulset/plan.ts';
import { controllerOptions } from '../controller-options.ts';
import { seededRandom } from '../seeded-random.ts';
import type { ApiEndpoint } from './api-endpoint.ts';
import type { Weather } from './faults.ts';
import { FaultyClient, type WriteObserver } from './faulty-client.ts';
import { Process } from './process.ts';

export interface ControlPlaneParts {
  api: ApiEndpoint;
  clock: Clock;
  seed: number;
  weather(): Weather;
  isCut(): boolean;
  log: Log;
  /** What the statefulset controller decides by. */
  decide: typeof plan;
  /** Hears of what the statefulset controller writes. */
  observer: WriteObserver;
}

/** Starts one; it lives until it is killed. */
export function startControlPlane(parts: ControlPlaneParts): Process {
  const { api, clock, weather, isCut, log, decide, observer } = parts;
  const process = new Process('control-plane', clock);
  const random = seededRandom(parts.seed);
  const line = { api, process, random: seededRandom(parts.seed + 1), weather, isCut };
  const clientOf = (user: User, seen?: WriteObserver): FaultyClient =>
    new FaultyClient({ ...line, user }, seen);
  const informersOf = (user: User): Informers =>
    createInformers(clientOf(user), process.clock, silentLog, process.signal, random);
  const informers = informersOf(CONTROLLER_MANAGER);
  const schedulerInformers = informersOf(SCHEDULER);
  const all = (kinds: Kinds): ReturnType<typeof controllers> => ({
    ...controllers(controllerOptions(kinds)),
    statefulset: (own) =>
      runStatefulSetController({ ...own, client: clientOf(controllerUser('statefulset'), observer) }, decide),
  });
  const run = async (): Promise<void> => {
    const manager = clientOf(CONTROLLER_MANAGER);
    const kinds = await followKinds(manager, process.clock, log.named('discovery'), process.signal);
    const { clock } = process;
    const contextOf = (name: string, signal: AbortSignal): RunContext => {
      const user = controllerUser(name);
      const ofUser = user === SCHEDULER ? schedulerInformers : informers;
      return { clock, random, signal, client: clientOf(user), informers: ofUser, log: log.named(name) };
    };
    const context = { clock, random, signal: process.signal, client: manager, informers, log };
    await lead(context, process.name, all(kinds), contextOf);
  };
  run().catch((error: unknown) => {
    if (!process.isDead) log.error('the control plane has ended', error);
  });
  return process;
}
