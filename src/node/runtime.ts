// What the node agent needs of whatever runs containers: sandboxes, containers, images, exit news. cri/ implements
// it over containerd, simulated/ in memory. It follows the Container Runtime Interface (kubernetes/cri-api
// runtime/v1/api.proto) in our terms; volumes, probes and pod rules live elsewhere.
import type { Duplex } from 'node:stream';
import type { ExecOptions, Session } from '../api/between/node-streams.ts';

export type ContainerState = 'created' | 'running' | 'exited' | 'unknown';

export interface SandboxSpec {
  podUid: string;
  namespace: string;
  name: string;
  /** Rises when the sandbox of the same pod has to be made again. */
  attempt: number;
  hostname: string;
  hostNetwork: boolean;
  hostPid: boolean;
  hostIpc: boolean;
  shareProcessNamespace: boolean;
  /** Whether privileged containers may run in it. */
  privileged: boolean;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** What /etc/resolv.conf says. */
  dns: { servers: string[]; searches: string[]; options: string[] };
  portMappings: Array<{
    protocol: 'TCP' | 'UDP' | 'SCTP';
    containerPort: number;
    hostPort: number;
    hostIp: string;
  }>;
  /** Where container logs go: one directory a pod. */
  logDirectory: string;
  /** The cgroup that everything of the pod runs in, below the runtime's own; removed with the sandbox. */
  cgroupParent: string;
  sysctls: Record<string, string>;
  /** Numeric, as securityContext has them. */
  runAsUser?: number | undefined;
  runAsGroup?: number | undefined;
  supplementalGroups: number[];
  /** What its RuntimeClass calls the way to run it; without one the runtime chooses. */
  runtimeHandler?: string;
}

export interface Sandbox {
  id: string;
  podUid: string;
  namespace: string;
  name: string;
  attempt: number;
  ready: boolean;
  createdAtMs: number;
  /** Empty until the network is up, and for hostNetwork. */
  ips: string[];
}

export interface ContainerMount {
  hostPath: string;
  containerPath: string;
  readOnly: boolean;
  propagation: 'private' | 'host-to-container' | 'bidirectional';
}

export interface ContainerSpec {
  name: string;
  /** Rises with every restart: it names the log file and the restart count. */
  attempt: number;
  image: string;
  /** As `imageStatus` gave it. */
  imageId: string;
  command: string[];
  args: string[];
  workingDir: string;
  env: Array<{ name: string; value: string }>;
  mounts: ContainerMount[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  stdin: boolean;
  stdinOnce: boolean;
  tty: boolean;
  resources: {
    /** cgroup weight from the cpu request, in CFS shares. */
    cpuShares: number;
    /** Microseconds of CPU per 100 ms period; 0: no limit. */
    cpuQuotaUs: number;
    /** Bytes; 0: no limit. */
    memoryLimitBytes: number;
    oomScoreAdj: number;
  };
  security: {
    privileged: boolean;
    readOnlyRootFilesystem: boolean;
    allowPrivilegeEscalation: boolean;
    runAsUser?: number | undefined;
    runAsGroup?: number | undefined;
    supplementalGroups: number[];
    addCapabilities: string[];
    dropCapabilities: string[];
    seccomp: { type: 'runtime-default' | 'unconfined' } | { type: 'localhost'; path: string };
  };
  stopSignal?: string | undefined;
  /** A running container of the sandbox in whose process namespace it is to be. */
  targetContainerId?: string | undefined;
  /** An init container, but no sidecar: what comes next waits for its end. */
  runsToCompletion?: boolean;
}

export interface Container {
  id: string;
  sandboxId: string;
  podUid: string;
  name: string;
  attempt: number;
  state: ContainerState;
  image: string;
  imageId: string;
  createdAtMs: number;
  startedAtMs: number;
  finishedAtMs: number;
  exitCode: number;
  /** `Completed`, `Error`, `OOMKilled`, or the runtime's own word. */
  reason: string;
  message: string;
  labels: Record<string, string>;
}

export interface Image {
  id: string;
  tags: string[];
  digests: string[];
  sizeBytes: number;
  /** The user the image itself asks for, for runAsNonRoot. */
  user?: ImageUser;
}

/** By number or by name; neither: root. */
export interface ImageUser {
  uid?: number;
  name?: string;
}

export interface RegistryCredentials {
  username: string;
  password: string;
}

/** What mount(8) is to be told. */
export interface FileSystemMount {
  type: string;
  source: string;
  options: string[];
}

/** The unpacked files of images, for volumes that show them. */
export interface ImageFiles {
  /** Keeps the files of an image that is present, under a name for them, and says how to mount them. Idempotent. */
  keep(key: string, image: string): Promise<FileSystemMount>;
  /** Lets them go, once they are not mounted any more. Idempotent. */
  letGo(key: string): Promise<void>;
}

export class RuntimeUnavailableError extends Error {}
/** A pull that failed; `message` is what the registry or the runtime said. */
export class ImagePullError extends Error {}

export interface RuntimeInfo {
  name: string;
  version: string;
}

export interface Runtime {
  /** Stands before the IDs of its containers in the statuses of pods: `containerd`. */
  readonly name: string;
  info(): Promise<RuntimeInfo>;
  listSandboxes(): Promise<Sandbox[]>;
  sandbox(id: string): Promise<Sandbox | undefined>;
  runSandbox(spec: SandboxSpec): Promise<Sandbox>;
  /** Stops everything in it and takes the network down; idempotent. */
  stopSandbox(id: string): Promise<void>;
  /** Idempotent. */
  removeSandbox(id: string): Promise<void>;

  listContainers(): Promise<Container[]>;
  container(id: string): Promise<Container | undefined>;
  createContainer(sandbox: Sandbox, sandboxSpec: SandboxSpec, spec: ContainerSpec): Promise<string>;
  startContainer(id: string): Promise<void>;
  /** TERM (or the image's stop signal), then KILL after `graceSeconds`; resolves when it has exited. Idempotent. */
  stopContainer(id: string, graceSeconds: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  updateResources(id: string, resources: ContainerSpec['resources']): Promise<void>;

  imageStatus(image: string): Promise<Image | undefined>;
  listImages(): Promise<Image[]>;
  /** Throws `ImagePullError`. */
  pullImage(
    image: string,
    credentials: RegistryCredentials | undefined,
    signal?: AbortSignal,
  ): Promise<Image>;
  removeImage(image: string): Promise<void>;

  /** Runs to the end and collects output; for probes and lifecycle hooks. `timeoutMs` kills it. */
  execSync(
    containerId: string,
    command: string[],
    timeoutMs: number,
  ): Promise<{ exitCode: number; output: string; timedOut: boolean }>;
  exec(containerId: string, options: ExecOptions): Promise<Session>;
  attach(containerId: string, options: Omit<ExecOptions, 'command'>): Promise<Session>;
  /** A connection to a port on the pod's own loopback. */
  portForward(sandboxId: string, port: number): Promise<Duplex>;
  /** Tells the runtime that a log file was moved away; not there in a runtime that writes no logs. */
  reopenLog?(containerId: string): Promise<void>;

  /** What containers (by ID) wrote into their own root file systems; not there in a runtime that has none. */
  layerUsage?(): Promise<ReadonlyMap<string, { bytes: number; inodes: number }>>;

  /** Pods whose sandbox or containers may have changed; the agent then looks for itself. Never misses an exit. */
  onChange(listener: (podUid: string) => void): () => void;
  close(): Promise<void>;
}
