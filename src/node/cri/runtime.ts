// The runtime over containerd's CRI. Says what there is and does what it is told; when and why is pods/'s business.
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { status } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import type { ExecOptions, Session } from '../../api/between/node-streams.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import {
  type Container,
  type ContainerSpec,
  type Image,
  ImagePullError,
  type RegistryCredentials,
  type Runtime,
  type RuntimeInfo,
  type Sandbox,
  type SandboxSpec,
} from '../runtime.ts';
import { containerOf, imageOf, listedContainerOf, sandboxOf } from './answers.ts';
import { removeCgroup } from './cgroups.ts';
import { type CallOptions, CriChannel, RuntimeCallError } from './channel.ts';
import { ExitWatch } from './exit-watch.ts';
import type {
  Empty,
  Container as ListedContainer,
  PodSandboxConfig,
  PodSandboxStatus,
} from './generated/cri.ts';
import {
  ANNOTATION_CGROUP_PARENT,
  containerConfig,
  containerLogPath,
  resourcesConfig,
  sandboxConfig,
} from './requests.ts';
import { imageService, runtimeService } from './services.ts';
import { openPortForward, openSession } from './spdy-streams.ts';
import { emptyUnreadInput } from './unread-input.ts';

export interface CriRuntimeOptions {
  /** Path of containerd's socket. */
  socket: string;
  /** Parent of everything that it runs, in every cgroup hierarchy: `/stead/default`. */
  cgroupRoot: string;
  /** Where containerd keeps what lasts until the next boot. */
  stateDirectory: string;
  log: Log;
  clock: Clock;
}

const PULL_LIMIT_MS = 3 * 3600 * 1000;
/** Beyond its own limit, what a call may take. */
const SLACK_MS = 120_000;

/** Connects; @throws RuntimeUnavailableError when nothing answers on the socket. */
export async function criRuntime(options: CriRuntimeOptions): Promise<Runtime> {
  const channel = new CriChannel(options.socket, options.clock);
  const runtime = new CriRuntime(channel, options);
  try {
    await runtime.info();
  } catch (error) {
    channel.close();
    throw error;
  }
  return runtime;
}

class CriRuntime implements Runtime {
  readonly name = 'containerd';
  readonly #channel: CriChannel;
  readonly #clock: Clock;
  readonly #stateDirectory: string;
  readonly #exits: ExitWatch;
  readonly #cgroupRoot: string;
  readonly #log: Log;
  /** Which sandbox a container belongs to: CRI's status of a container does not say. */
  readonly #sandboxOf = new Map<string, string>();

  constructor(channel: CriChannel, options: CriRuntimeOptions) {
    this.#channel = channel;
    this.#cgroupRoot = options.cgroupRoot;
    this.#log = options.log;
    this.#clock = options.clock;
    this.#stateDirectory = options.stateDirectory;
    this.#exits = new ExitWatch(channel, options.clock, options.log, {
      container: (id) => this.container(id),
      sandbox: (id) => this.sandbox(id),
    });
  }

  async info(): Promise<RuntimeInfo> {
    const answer = await this.#channel.call(runtimeService.Version, { version: '' }, { timeoutMs: 10_000 });
    return { name: answer.runtime_name, version: answer.runtime_version };
  }

  async listSandboxes(): Promise<Sandbox[]> {
    const { items } = await this.#channel.call(runtimeService.ListPodSandbox, {});
    const found = await Promise.all(
      items.map((item) =>
        this.sandbox(item.id).catch((error: unknown) =>
          this.#asListed(error, item.id, () => sandboxOf(item)),
        ),
      ),
    );
    return found.filter((sandbox) => sandbox !== undefined);
  }

  async sandbox(id: string): Promise<Sandbox | undefined> {
    const wire = await this.#sandboxStatus(id);
    if (wire === undefined) return undefined;
    const sandbox = sandboxOf(wire);
    this.#exits.know(id, sandbox.podUid);
    return sandbox;
  }

  async runSandbox(spec: SandboxSpec): Promise<Sandbox> {
    await mkdir(spec.logDirectory, { recursive: true, mode: 0o755 });
    const { pod_sandbox_id: id } = await this.#channel.call(runtimeService.RunPodSandbox, {
      config: this.#sandboxConfig(spec),
      runtime_handler: spec.runtimeHandler ?? '',
    });
    this.#exits.know(id, spec.podUid);
    const sandbox = await this.sandbox(id);
    if (sandbox === undefined) throw new Error(`sandbox ${id} is gone as soon as it was made`);
    return sandbox;
  }

  async stopSandbox(id: string): Promise<void> {
    await this.#quietly(runtimeService.StopPodSandbox, { pod_sandbox_id: id });
  }

  async removeSandbox(id: string): Promise<void> {
    const wire = await this.#sandboxStatus(id);
    if (wire === undefined) return;
    await this.stopSandbox(id);
    await this.#quietly(runtimeService.RemovePodSandbox, { pod_sandbox_id: id });
    const cgroup = wire.annotations[ANNOTATION_CGROUP_PARENT];
    if (cgroup) await removeCgroup(cgroup);
    this.#exits.forget(id);
    for (const [container, sandbox] of this.#sandboxOf) {
      if (sandbox === id) this.#forgetContainer(container);
    }
  }

  async listContainers(): Promise<Container[]> {
    const containers = await this.#listContainers();
    const found = await Promise.all(
      containers.map((item) =>
        this.container(item.id).catch((error: unknown) =>
          this.#asListed(error, item.id, () => listedContainerOf(item)),
        ),
      ),
    );
    return found.filter((container) => container !== undefined);
  }

  async container(id: string): Promise<Container | undefined> {
    try {
      const answer = await this.#channel.call(runtimeService.ContainerStatus, { container_id: id });
      if (answer.status === null) return undefined;
      // One that an earlier process made.
      if (!this.#sandboxOf.has(id)) await this.#listContainers();
      const container = containerOf(answer.status, this.#sandboxOf.get(id) ?? '');
      this.#exits.know(id, container.podUid);
      return container;
    } catch (error) {
      if (error instanceof RuntimeCallError && error.isNotFound) return undefined;
      throw error;
    }
  }

  async createContainer(sandbox: Sandbox, sandboxSpec: SandboxSpec, spec: ContainerSpec): Promise<string> {
    const logFile = join(sandboxSpec.logDirectory, containerLogPath(spec.name, spec.attempt));
    await mkdir(dirname(logFile), { recursive: true, mode: 0o755 });
    const { container_id: id } = await this.#channel.call(runtimeService.CreateContainer, {
      pod_sandbox_id: sandbox.id,
      config: containerConfig(sandboxSpec, spec),
      sandbox_config: this.#sandboxConfig(sandboxSpec),
    });
    this.#sandboxOf.set(id, sandbox.id);
    this.#exits.know(id, sandbox.podUid);
    return id;
  }

  async startContainer(id: string): Promise<void> {
    await this.#channel.call(runtimeService.StartContainer, { container_id: id });
  }

  async stopContainer(id: string, graceSeconds: number): Promise<void> {
    const timeout = Math.max(0, Math.round(graceSeconds));
    const request = { container_id: id, timeout };
    await this.#quietly(runtimeService.StopContainer, request, { timeoutMs: timeout * 1000 + SLACK_MS });
  }

  async removeContainer(id: string): Promise<void> {
    await this.#quietly(runtimeService.RemoveContainer, { container_id: id });
    this.#forgetContainer(id);
  }

  async updateResources(id: string, resources: ContainerSpec['resources']): Promise<void> {
    const request = { container_id: id, linux: resourcesConfig(resources) };
    await this.#channel.call(runtimeService.UpdateContainerResources, request);
  }

  async imageStatus(image: string): Promise<Image | undefined> {
    const answer = await this.#channel.call(imageService.ImageStatus, { image: { image }, verbose: false });
    return answer.image ? imageOf(answer.image) : undefined;
  }

  async listImages(): Promise<Image[]> {
    const { images } = await this.#channel.call(imageService.ListImages, {});
    return images.map(imageOf);
  }

  async pullImage(
    image: string,
    credentials: RegistryCredentials | undefined,
    signal?: AbortSignal,
  ): Promise<Image> {
    const request = { image: { image }, auth: credentials ?? null };
    try {
      await this.#channel.call(imageService.PullImage, request, { timeoutMs: PULL_LIMIT_MS, signal });
    } catch (error) {
      if (error instanceof RuntimeCallError) throw new ImagePullError(error.message);
      throw error;
    }
    const pulled = await this.imageStatus(image);
    if (pulled === undefined) throw new ImagePullError(`image ${image} is gone as soon as it was pulled`);
    return pulled;
  }

  async removeImage(image: string): Promise<void> {
    await this.#channel.call(imageService.RemoveImage, { image: { image } });
  }

  async execSync(
    containerId: string,
    command: string[],
    timeoutMs: number,
  ): Promise<{ exitCode: number; output: string; timedOut: boolean }> {
    const timeout = Math.max(1, Math.ceil(timeoutMs / 1000));
    try {
      const answer = await this.#channel.call(
        runtimeService.ExecSync,
        { container_id: containerId, cmd: command, timeout },
        { timeoutMs: timeoutMs + SLACK_MS },
      );
      const output = Buffer.concat([answer.stdout, answer.stderr]).toString('utf8');
      return { exitCode: answer.exit_code, output, timedOut: false };
    } catch (error) {
      const timedOut =
        error instanceof RuntimeCallError &&
        (error.code === status.DEADLINE_EXCEEDED || saysDeadline(error.message));
      if (timedOut) return { exitCode: -1, output: '', timedOut };
      throw error;
    }
  }

  async exec(containerId: string, options: ExecOptions): Promise<Session> {
    const { command, stderr, stdin, stdout, tty } = options;
    const { url } = await this.#channel.call(runtimeService.Exec, {
      container_id: containerId,
      cmd: command,
      tty,
      stdin,
      stdout,
      // A terminal has one stream for both.
      stderr: stderr && !tty,
    });
    const unblock = (): Promise<void> => emptyUnreadInput(this.#channel, this.#stateDirectory, containerId);
    return openSession(url, options, options.stdin ? { unblock, clock: this.#clock } : undefined);
  }

  async attach(containerId: string, options: Omit<ExecOptions, 'command'>): Promise<Session> {
    const { stderr, stdin, stdout, tty } = options;
    const { url } = await this.#channel.call(runtimeService.Attach, {
      container_id: containerId,
      stdin,
      stdout,
      stderr: stderr && !tty,
      tty,
    });
    return openSession(url, options);
  }

  async portForward(sandboxId: string, port: number): Promise<Duplex> {
    const request = { pod_sandbox_id: sandboxId, port: [port] };
    const { url } = await this.#channel.call(runtimeService.PortForward, request);
    return openPortForward(url, port);
  }

  async reopenLog(containerId: string): Promise<void> {
    await this.#channel.call(runtimeService.ReopenContainerLog, { container_id: containerId });
  }

  async layerUsage(): Promise<Map<string, { bytes: number; inodes: number }>> {
    const { stats } = await this.#channel.call(runtimeService.ListContainerStats, {});
    return new Map(
      stats.flatMap(({ attributes, writable_layer: layer }) => {
        if (attributes === null || layer === null) return [];
        const used = { bytes: layer.used_bytes?.value ?? 0, inodes: layer.inodes_used?.value ?? 0 };
        return [[attributes.id, used] as const];
      }),
    );
  }

  onChange(listener: (podUid: string) => void): () => void {
    return this.#exits.listen(listener);
  }

  async close(): Promise<void> {
    this.#exits.stop();
    this.#channel.close();
  }

  async #listContainers(): Promise<ListedContainer[]> {
    const { containers } = await this.#channel.call(runtimeService.ListContainers, {});
    for (const { id, pod_sandbox_id } of containers) this.#sandboxOf.set(id, pod_sandbox_id);
    return containers;
  }

  #sandboxConfig(spec: SandboxSpec): PodSandboxConfig {
    return sandboxConfig({ ...spec, cgroupParent: join(this.#cgroupRoot, spec.cgroupParent) });
  }

  /** One whose status cannot be read is taken as the list has it: it is no reason not to see all the others. */
  #asListed<T>(error: unknown, id: string, listed: () => T): T {
    if (!(error instanceof RuntimeCallError)) throw error;
    this.#log.warn('the runtime lists what it cannot tell the status of', { id, error: error.message });
    return listed();
  }

  #forgetContainer(id: string): void {
    this.#sandboxOf.delete(id);
    this.#exits.forget(id);
  }

  async #sandboxStatus(id: string): Promise<PodSandboxStatus | undefined> {
    try {
      const request = { pod_sandbox_id: id };
      const answer = await this.#channel.call(runtimeService.PodSandboxStatus, request);
      return answer.status ?? undefined;
    } catch (error) {
      if (error instanceof RuntimeCallError && error.isNotFound) return undefined;
      throw error;
    }
  }

  /** For what is done already when there is nothing to do it to. */
  async #quietly<Request>(
    method: MethodDefinition<Request, Empty>,
    request: NoInfer<Request>,
    options: CallOptions = {},
  ): Promise<void> {
    try {
      await this.#channel.call(method, request, options);
    } catch (error) {
      if (!(error instanceof RuntimeCallError && error.isNotFound)) throw error;
    }
  }
}

/** `timeout 2s exceeded: context deadline exceeded`: what the runtime says of a command that took too long. */
function saysDeadline(message: string): boolean {
  const timeout = message.indexOf('timeout ');
  return (
    message.includes('context deadline exceeded') || (timeout >= 0 && message.includes(' exceeded', timeout))
  );
}
