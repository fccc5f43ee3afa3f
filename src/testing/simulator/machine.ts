// A simulated machine: its power, its network, its runtime and its disks, and the agent that runs on it as long as
// nobody kills it. What the containers on it are like (slow to get ready, flapping) is decided here, too.
import type { Clock, Random } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import type { RunContext } from '../../client/run-context.ts';
import { createInformers } from '../../client/shared-informers.ts';
import { nodeUser } from '../../cluster/roles/identities.ts';
import { createNodeAgent } from '../../node/agent.ts';
import type { NetworkChecks } from '../../node/pods/do/node-services.ts';
import { type SimulatedRuntime, simulatedRuntime } from '../../node/simulated/runtime.ts';
import { simulatedFacts, simulatedFiles, simulatedKeeper } from '../../node/simulated/surroundings.ts';
import { runLocalVolumes } from '../../node/volumes/local/run.ts';
import { type PodVolumes, VolumeNotReadyError } from '../../node/volumes/volumes.ts';
import { seededRandom } from '../seeded-random.ts';
import type { ApiEndpoint } from './api-endpoint.ts';
import type { Weather } from './faults.ts';
import { FaultyClient } from './faulty-client.ts';
import { machineRuntime } from './machine-runtime.ts';
import { Process } from './process.ts';

/** Containers of this image never get ready, and end after a few seconds. */
export const CRASHING_IMAGE = 'app:crashing';

const CAPACITY = { cpuCores: 16, memoryBytes: 64 * 1024 ** 3, pods: 100 };
const VOLUME_DIRECTORY = '/volumes';
/** An application takes up to this to answer its readiness probe, ms. */
const BOOT_MS = 8_000;
const CRASH_AFTER_MS = 3_000;
/** A step of the simulated runtime itself takes less, ms. */
const STEP_MS = 20;

export interface MachineHost {
  api: ApiEndpoint;
  clock: Clock;
  weather(): Weather;
  /** Mounts the pod's claims or says why not yet; the world knows which machine has which volume. */
  mount(machine: Machine, podName: string, podUid: string, claims: string[]): string | undefined;
  /** Of one pod, or of all there are. */
  unmount(machine: Machine, podUid?: string): void;
  mountedOn(machine: Machine): string[];
  containerStarted(machine: Machine): Promise<void>;
}

export class Machine {
  readonly name: string;
  readonly runtime: SimulatedRuntime;
  readonly #host: MachineHost;
  readonly #random: Random;
  readonly #index: number;
  #agent: Process | undefined;
  #boots = 0;
  /** By address of a pod: until when it does not answer probes. */
  readonly #silentUntilMs = new Map<string, number>();
  isPowered = true;
  /** Cut off from the API server; everything on it runs on. */
  isCut = false;

  constructor(host: MachineHost, index: number, seed: number) {
    this.name = `node-${index}`;
    this.#host = host;
    this.#index = index;
    this.#random = seededRandom(seed);
    this.runtime = simulatedRuntime({
      clock: host.clock,
      firstAddress: `10.${128 + index}.0.0`,
      addresses: 60_000,
    });
  }

  startAgent(): void {
    if ((this.#agent && !this.#agent.isDead) || !this.isPowered) return;
    const { api, weather, clock } = this.#host;
    const process = new Process(this.name, clock);
    this.#agent = process;
    const seed = Math.floor(this.#random.next() * 2 ** 32);
    const random = seededRandom(seed);
    const client = new FaultyClient({
      api,
      user: nodeUser(this.name),
      process,
      random: seededRandom(seed + 1),
      weather,
      isCut: () => this.isCut,
    });
    const informers = createInformers(client, process.clock, silentLog, process.signal, random);
    const context: RunContext = {
      client,
      informers,
      clock: process.clock,
      random,
      log: silentLog,
      signal: process.signal,
    };
    const boots = this.#boots;
    const agent = createNodeAgent(context, {
      nodeName: this.name,
      nodeIps: [`10.0.0.${this.#index + 1}`],
      runtime: machineRuntime(this.runtime, {
        process,
        clock,
        random: seededRandom(seed + 2),
        weather,
        hasLostPower: () => boots !== this.#boots,
        started: (id) => this.#containerStarted(id),
      }),
      volumes: this.#volumes(process),
      clusterDns: undefined,
      dataDirectory: '/data',
      logDirectory: '/logs',
      volumeDirectory: VOLUME_DIRECTORY,
      version: '0.0.0',
      capacity: CAPACITY,
      facts: { ...simulatedFacts, bootId: String(boots) },
      files: simulatedFiles,
      checks: this.#checks(),
    });
    const fatal = (error: unknown): void => {
      if (!process.isDead) throw error;
    };
    agent.run().catch(fatal);
    runLocalVolumes(context, { nodeName: this.name, volumes: simulatedKeeper(VOLUME_DIRECTORY) }).catch(
      fatal,
    );
  }

  /** The containers run on. */
  killAgent(): void {
    this.#agent?.kill();
    this.#agent = undefined;
  }

  /** Lets the agent die in the middle of what it does. */
  killAgentAfter(calls: number): void {
    this.#agent?.killAfter(calls);
  }

  powerOff(): void {
    this.killAgent();
    this.isPowered = false;
    this.#boots++;
    this.runtime.crash();
    // A step that the runtime was in the middle of ends soon: it ends with the rest.
    this.#host.clock.after(STEP_MS, () => this.runtime.crash());
    this.#host.unmount(this);
    this.#silentUntilMs.clear();
  }

  powerOn(): void {
    this.isPowered = true;
    this.startAgent();
  }

  /** One of the running containers ends by itself. */
  async crashContainer(exitCode: number): Promise<void> {
    const running = (await this.runtime.listContainers()).filter(({ state }) => state === 'running');
    const victim = running[Math.floor(this.#random.next() * running.length)];
    if (victim) this.runtime.exit(victim.id, exitCode);
  }

  /** One of the running pods does not answer probes for a while. */
  async silence(forMs: number): Promise<void> {
    const addresses = (await this.runtime.listSandboxes()).flatMap(({ ips }) => ips);
    const address = addresses[Math.floor(this.#random.next() * addresses.length)];
    if (address) this.#silentUntilMs.set(address, this.#host.clock.now() + forMs);
  }

  /** All pods answer their probes. */
  endSilence(): void {
    for (const [address, untilMs] of this.#silentUntilMs) {
      if (untilMs < Number.POSITIVE_INFINITY) this.#silentUntilMs.delete(address);
    }
  }

  async #containerStarted(id: string): Promise<void> {
    const { clock } = this.#host;
    const container = await this.runtime.container(id);
    if (!container) return;
    const sandbox = await this.runtime.sandbox(container.sandboxId);
    const isCrashing = container.image === CRASHING_IMAGE;
    const bootMs = isCrashing ? Number.POSITIVE_INFINITY : this.#random.next() * BOOT_MS;
    for (const ip of sandbox?.ips ?? []) this.#silentUntilMs.set(ip, clock.now() + bootMs);
    if (isCrashing) clock.after(this.#random.next() * CRASH_AFTER_MS, () => this.runtime.exit(id, 1));
    await this.#host.containerStarted(this);
  }

  #checks(): NetworkChecks {
    const answer = (host: string) => {
      const silent = (this.#silentUntilMs.get(host) ?? 0) > this.#host.clock.now();
      return Promise.resolve(silent ? { ok: false, message: 'no answer' } : { ok: true, message: '' });
    };
    return { http: ({ host }) => answer(host), tcp: (host) => answer(host), grpc: (host) => answer(host) };
  }

  #volumes(process: Process): PodVolumes {
    const host = this.#host;
    return {
      setUp: (pod) =>
        process.call(async () => {
          const claims = (pod.spec.volumes ?? []).flatMap(
            (each) => each.persistentVolumeClaim?.claimName ?? [],
          );
          const { name, uid } = pod.metadata;
          const why = host.mount(this, name, uid, claims);
          if (why) throw new VolumeNotReadyError('FailedMount', why);
          const volumes = pod.spec.volumes ?? [];
          return new Map(
            volumes.map((each) => [each.name, { hostPath: `/v/${each.name}`, readOnly: false }]),
          );
        }),
      refresh: () => process.call(async () => {}),
      subPath: (_place, { hostPath }, path) => process.call(async () => `${hostPath}/${path}`),
      tearDown: (podUid) => process.call(async () => host.unmount(this, podUid)),
      podsOnDisk: () => process.call(async () => host.mountedOn(this)),
    };
  }
}
