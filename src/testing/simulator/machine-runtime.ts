// The runtime of a simulated machine as one agent's process sees it: slow, failing at times, and out of reach for a
// process that is dead. What runs, runs on when the process does not.
import { type Clock, type Random, sleep } from '../../base/clock.ts';
import type { Runtime } from '../../node/runtime.ts';
import type { Weather } from './faults.ts';
import type { Process } from './process.ts';

export interface Surroundings {
  process: Process;
  /** The machine's own time: what the runtime was asked for goes on without who asked. */
  clock: Clock;
  random: Random;
  weather(): Weather;
  /** Whether the machine has lost its power since the agent was started. */
  hasLostPower(): boolean;
  /** A container has begun to run. */
  started(containerId: string): Promise<void>;
}

export function machineRuntime(inner: Runtime, surroundings: Surroundings): Runtime {
  const { process, clock, random, weather, hasLostPower } = surroundings;
  const call = <T>(action: () => Promise<T>): Promise<T> => process.call(action);
  const work = <T>(what: string, action: () => Promise<T>): Promise<T> =>
    process.call(async () => {
      await sleep(clock, random.next() * weather().runtimeMs);
      const fails = random.next() < weather().runtimeFails;
      // Half of the failures come after the deed: the agent has to look for itself.
      if (fails && random.next() < 0.5) throw new Error(`${what}: simulated failure`);
      // What was begun goes on without the agent, and not without power.
      if (hasLostPower()) return new Promise(() => {});
      const result = await action();
      if (fails) throw new Error(`${what}: simulated failure after the deed`);
      return result;
    });
  return {
    name: inner.name,
    info: () => call(() => inner.info()),
    listSandboxes: () => call(() => inner.listSandboxes()),
    sandbox: (id) => call(() => inner.sandbox(id)),
    runSandbox: (spec) => work('run sandbox', () => inner.runSandbox(spec)),
    stopSandbox: (id) => work('stop sandbox', () => inner.stopSandbox(id)),
    removeSandbox: (id) => work('remove sandbox', () => inner.removeSandbox(id)),
    listContainers: () => call(() => inner.listContainers()),
    container: (id) => call(() => inner.container(id)),
    createContainer: (sandbox, sandboxSpec, spec) =>
      work('create container', () => inner.createContainer(sandbox, sandboxSpec, spec)),
    startContainer: (id) =>
      work('start container', async () => {
        await inner.startContainer(id);
        await surroundings.started(id);
      }),
    stopContainer: (id, graceSeconds) =>
      work('stop container', async () => {
        await sleep(clock, random.next() * Math.min(graceSeconds * 1000, weather().runtimeMs));
        await inner.stopContainer(id, graceSeconds);
      }),
    removeContainer: (id) => work('remove container', () => inner.removeContainer(id)),
    updateResources: (id, resources) => call(() => inner.updateResources(id, resources)),
    imageStatus: (image) => call(() => inner.imageStatus(image)),
    listImages: () => call(() => inner.listImages()),
    pullImage: (image, credentials, signal) =>
      work('pull', () => inner.pullImage(image, credentials, signal)),
    removeImage: (image) => call(() => inner.removeImage(image)),
    execSync: (id, command, timeoutMs) => call(() => inner.execSync(id, command, timeoutMs)),
    exec: (id, options) => call(() => inner.exec(id, options)),
    attach: (id, options) => call(() => inner.attach(id, options)),
    portForward: (id, port) => call(() => inner.portForward(id, port)),
    onChange: (listener) => {
      const unlisten = inner.onChange((podUid) => {
        if (!process.isDead) listener(podUid);
      });
      process.signal.addEventListener('abort', unlisten, { once: true });
      return unlisten;
    },
    close: () => Promise.resolve(),
  };
}
