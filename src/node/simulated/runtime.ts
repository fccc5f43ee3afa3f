// A runtime without processes: pods "run" as records in memory, on the clock that it is handed. For thousands of
// pods on one machine, for trying controllers, and for the simulator.
import type { Clock } from '../../base/clock.ts';
import { sleep } from '../../base/clock.ts';
import { addressAt, type IpRange, parseIp, parseIpOrRange } from '../../base/ip.ts';
import {
  type Container,
  type ContainerSpec,
  type Image,
  ImagePullError,
  type Runtime,
  type Sandbox,
  type SandboxSpec,
} from '../runtime.ts';
import type { Remembered } from './ended.ts';
import { simulatedExitCode } from './surroundings.ts';

export interface SimulatedRuntimeOptions {
  clock: Clock;
  /** Addresses are given out from here on: `10.77.0.0` gives 10.77.0.2, 10.77.0.3, … */
  firstAddress: string;
  /** How many addresses there are. */
  addresses: number;
  /** How long a sandbox and a container take to start, ms. */
  startLatencyMs?: number;
  /** What init containers end with as soon as they have started; without it they run until `exit`. */
  initExitCode?: number;
  /** What was there before this process. */
  remembered?: readonly Remembered[];
  /** Images that cannot be pulled. */
  missingImages?: ReadonlySet<string>;
}

/** What a RuntimeClass may name. */
const HANDLERS: ReadonlySet<string> = new Set(['', 'runc']);
/** What a container ends with that SIGKILL has ended. */
const KILLED = 137;

const imageOf = (name: string): Image => ({ id: `sha256:${name}`, tags: [name], digests: [], sizeBytes: 0 });

/** More than the interface: what tests and the simulator do to containers. */
export interface SimulatedRuntime extends Runtime {
  /** Lets a container end by itself. */
  exit(containerId: string, exitCode: number): void;
  /** As a reboot: every container and sandbox is dead, and still known. */
  crash(): void;
  /** Makes an image appear or disappear. */
  setMissing(image: string, missing: boolean): void;
}

/** As containerd has them: a container's does not depend on the sandbox. */
const sandboxName = (of: Pick<Sandbox, 'attempt' | 'name' | 'namespace' | 'podUid'>): string =>
  `sandbox ${of.name}_${of.namespace}_${of.podUid}_${of.attempt}`;
const containerName = (of: Pick<Container, 'attempt' | 'name' | 'podUid'>): string =>
  `container ${of.name}_${of.podUid}_${of.attempt}`;

export function simulatedRuntime(options: SimulatedRuntimeOptions): SimulatedRuntime {
  return new InMemoryRuntime(options);
}

class InMemoryRuntime implements SimulatedRuntime {
  readonly name = 'simulated';
  readonly #clock: Clock;
  readonly #latencyMs: number;
  readonly #initExitCode: number | undefined;
  readonly #addresses: AddressPool;
  readonly #missing: Set<string>;
  /** Those that a container was made of, or that were pulled. All that are not missing are there to begin with. */
  readonly #listed = new Set<string>();
  /** Not there until they are pulled again. */
  readonly #removed = new Set<string>();
  /** Names of sandboxes and containers: one that is taken is not given again. */
  readonly #reserved = new Set<string>();
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #containers = new Map<string, Container>();
  /** Container → what it ends with, for those that end by themselves. */
  readonly #exitCodes = new Map<string, number>();
  readonly #listeners = new Set<(podUid: string) => void>();
  #ids = 0;

  constructor(options: SimulatedRuntimeOptions) {
    this.#clock = options.clock;
    this.#latencyMs = options.startLatencyMs ?? 5;
    this.#initExitCode = options.initExitCode;
    this.#addresses = new AddressPool(options.firstAddress, options.addresses);
    this.#missing = new Set(options.missingImages);
    for (const { containers, sandbox } of options.remembered ?? []) {
      this.#sandboxes.set(sandbox.id, sandbox);
      this.#reserved.add(sandboxName(sandbox));
      for (const container of containers) {
        this.#containers.set(container.id, container);
        this.#reserved.add(containerName(container));
      }
      for (const ip of sandbox.ips) this.#addresses.reserve(ip);
    }
  }

  async info(): Promise<{ name: string; version: string }> {
    return { name: this.name, version: '1' };
  }
  async listSandboxes(): Promise<Sandbox[]> {
    return [...this.#sandboxes.values()];
  }
  async sandbox(id: string): Promise<Sandbox | undefined> {
    return this.#sandboxes.get(id);
  }
  async runSandbox(spec: SandboxSpec): Promise<Sandbox> {
    const { attempt, hostNetwork, name, namespace, podUid, runtimeHandler = '' } = spec;
    const reservation = this.#reserve(sandboxName(spec));
    await sleep(this.#clock, this.#latencyMs);
    if (!HANDLERS.has(runtimeHandler)) {
      const why = `no runtime for ${JSON.stringify(runtimeHandler)} is configured`;
      this.#reserved.delete(reservation);
      throw new Error(`failed to get sandbox runtime: ${why}`);
    }
    const ips = hostNetwork ? [] : [this.#addresses.take()];
    const id = this.#id('sandbox');
    const createdAtMs = this.#clock.now();
    const sandbox: Sandbox = { id, podUid, namespace, name, attempt, ready: true, createdAtMs, ips };
    this.#sandboxes.set(id, sandbox);
    return sandbox;
  }
  async stopSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id);
    if (!sandbox?.ready) return;
    for (const container of this.#containers.values()) {
      if (container.sandboxId === id) this.#end(container, KILLED);
    }
    for (const ip of sandbox.ips) this.#addresses.giveBack(ip);
    this.#sandboxes.set(id, { ...sandbox, ready: false, ips: [] });
  }
  async removeSandbox(id: string): Promise<void> {
    await this.stopSandbox(id);
    const sandbox = this.#sandboxes.get(id);
    if (sandbox) this.#reserved.delete(sandboxName(sandbox));
    for (const container of this.#containers.values()) {
      if (container.sandboxId === id) this.#forget(container.id);
    }
    this.#sandboxes.delete(id);
  }

  async listContainers(): Promise<Container[]> {
    return [...this.#containers.values()];
  }
  async container(id: string): Promise<Container | undefined> {
    return this.#containers.get(id);
  }
  async createContainer(sandbox: Sandbox, sandboxSpec: SandboxSpec, spec: ContainerSpec): Promise<string> {
    if (!this.#sandboxes.get(sandbox.id)?.ready) throw new Error(`sandbox ${sandbox.id} is not running`);
    const { attempt, name } = spec;
    const { podUid } = sandbox;
    this.#reserve(containerName({ attempt, name, podUid }));
    this.#listed.add(spec.image);
    const id = this.#id('container');
    const exitCode = spec.runsToCompletion ? this.#initExitCode : simulatedExitCode(sandboxSpec.annotations);
    if (exitCode !== undefined) this.#exitCodes.set(id, exitCode);
    this.#containers.set(id, {
      id,
      sandboxId: sandbox.id,
      podUid,
      name,
      attempt,
      state: 'created',
      image: spec.image,
      imageId: spec.imageId,
      createdAtMs: this.#clock.now(),
      startedAtMs: 0,
      finishedAtMs: 0,
      exitCode: 0,
      reason: '',
      message: '',
      labels: spec.labels,
    });
    return id;
  }
  async startContainer(id: string): Promise<void> {
    await sleep(this.#clock, this.#latencyMs);
    const container = this.#containers.get(id);
    if (container?.state !== 'created') throw new Error(`container ${id} cannot be started`);
    this.#containers.set(id, { ...container, state: 'running', startedAtMs: this.#clock.now() });
    const exitCode = this.#exitCodes.get(id);
    if (exitCode !== undefined) this.exit(id, exitCode);
  }
  async stopContainer(id: string, graceSeconds: number): Promise<void> {
    if (this.#containers.get(id)?.state !== 'running') return;
    await sleep(this.#clock, this.#latencyMs);
    this.exit(id, graceSeconds > 0 ? 0 : KILLED);
  }
  async removeContainer(id: string): Promise<void> {
    this.#forget(id);
  }
  async updateResources(id: string): Promise<void> {
    if (!this.#containers.has(id)) throw new Error(`container ${id} is not there`);
  }

  async imageStatus(image: string): Promise<Image | undefined> {
    return this.#missing.has(image) || this.#removed.has(image) ? undefined : imageOf(image);
  }
  async listImages(): Promise<Image[]> {
    return [...this.#listed].map(imageOf);
  }
  async pullImage(image: string): Promise<Image> {
    if (this.#missing.has(image)) throw new ImagePullError(`${image}: not found`);
    this.#removed.delete(image);
    this.#listed.add(image);
    return imageOf(image);
  }
  async removeImage(image: string): Promise<void> {
    const name = image.replace(/^sha256:/, '');
    this.#removed.add(name);
    this.#listed.delete(name);
  }
  setMissing(image: string, missing: boolean): void {
    if (missing) this.#missing.add(image);
    else this.#missing.delete(image);
  }

  async execSync(id: string): Promise<{ exitCode: number; output: string; timedOut: boolean }> {
    if (this.#containers.get(id)?.state !== 'running') throw new Error(`container ${id} is not running`);
    return { exitCode: 0, output: '', timedOut: false };
  }
  async exec(): Promise<never> {
    throw new Error('a simulated container has no processes to exec into');
  }
  async attach(): Promise<never> {
    throw new Error('a simulated container has no processes to attach to');
  }
  async portForward(): Promise<never> {
    throw new Error('a simulated pod has no ports');
  }
  onChange(listener: (podUid: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  async close(): Promise<void> {
    this.#listeners.clear();
  }

  exit(containerId: string, exitCode: number): void {
    const container = this.#containers.get(containerId);
    if (container) this.#end(container, exitCode);
  }
  crash(): void {
    for (const container of this.#containers.values()) this.#end(container, KILLED);
    for (const sandbox of this.#sandboxes.values()) {
      for (const ip of sandbox.ips) this.#addresses.giveBack(ip);
      this.#sandboxes.set(sandbox.id, { ...sandbox, ready: false, ips: [] });
      this.#tell(sandbox.podUid);
    }
  }

  #end(container: Container, exitCode: number): void {
    if (container.state !== 'running') return;
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    const finishedAtMs = this.#clock.now();
    this.#containers.set(container.id, { ...container, state: 'exited', exitCode, reason, finishedAtMs });
    this.#tell(container.podUid);
  }
  #forget(containerId: string): void {
    const container = this.#containers.get(containerId);
    if (container) this.#reserved.delete(containerName(container));
    this.#containers.delete(containerId);
    this.#exitCodes.delete(containerId);
  }
  #reserve(name: string): string {
    if (this.#reserved.has(name))
      throw new Error(`failed to reserve the name of ${name}: it is reserved already`);
    this.#reserved.add(name);
    return name;
  }
  #tell(podUid: string): void {
    for (const listener of this.#listeners) listener(podUid);
  }
  #id(kind: string): string {
    const id = `${kind}-${(++this.#ids).toString(16).padStart(8, '0')}`;
    // One that is remembered has its number from an earlier process.
    return this.#containers.has(id) ? this.#id(kind) : id;
  }
}

/** IPv4 addresses, given out in order; one given back is used again last. */
class AddressPool {
  readonly #first: IpRange;
  readonly #size: number;
  readonly #returned: string[] = [];
  /** In use without having been taken. */
  readonly #reserved = new Set<string>();
  #next = 2;

  constructor(firstAddress: string, size: number) {
    const first = parseIpOrRange(firstAddress);
    if (first === undefined)
      throw new Error(`"${firstAddress}" is no IPv4 address for a simulated node's pods`);
    this.#first = first;
    this.#size = size;
  }
  take(): string {
    while (this.#next < this.#size) {
      const ip = addressAt(this.#first, this.#next++);
      if (!this.#reserved.has(ip)) return ip;
    }
    const again = this.#returned.shift();
    if (again === undefined) throw new Error('no addresses left for pods on this simulated node');
    return again;
  }
  reserve(ip: string): void {
    this.#reserved.add(ip);
  }
  giveBack(ip: string): void {
    // One whose turn has not come yet is taken then.
    const isYetToCome =
      this.#reserved.delete(ip) && (parseIp(ip)?.value ?? 0n) >= this.#first.first + BigInt(this.#next);
    if (!isYetToCome) this.#returned.push(ip);
  }
}
