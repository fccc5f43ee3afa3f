// The floor under a pod's start: the same containerd, network and image, asked directly over CRI for a sandbox and a
// container, with no API, no controllers and no volumes in between.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '../src/base/log.ts';
import { systemClock } from '../src/cluster/process/system-clock.ts';
import { removeBridge, setUpBridge } from '../src/network/cni/bridge.ts';
import { writeCniConfig } from '../src/network/cni/config.ts';
import { readMachineNetwork } from '../src/network/cni/machine-network.ts';
import { choosePodNetwork } from '../src/network/cni/pod-network.ts';
import { startContainerd } from '../src/node/containerd/containerd.ts';
import { criRuntime } from '../src/node/cri/runtime.ts';
import { loadImage } from '../src/node/images/import.ts';
import { ensurePauseImage, PAUSE_IMAGE } from '../src/node/images/pause-image.ts';
import { runCommand } from '../src/node/machine/command.ts';
import type { ContainerSpec, SandboxSpec } from '../src/node/runtime.ts';

export interface CriFloor {
  /** Starts one pod and takes it down again; gives the ms until its container was started. */
  startPod(): Promise<number>;
  close(): Promise<void>;
}

export async function openCriFloor(directory: string, archive: string, image: string): Promise<CriFloor> {
  const clock = systemClock;
  const log = silentLog;
  const network = choosePodNetwork(await readMachineNetwork(runCommand));
  await setUpBridge(runCommand, network, { owner: 'stead bench' });
  const cniConfDirectory = join(directory, 'cni', 'net.d');
  await writeCniConfig(network, {
    confDirectory: cniConfDirectory,
    leaseDirectory: join(directory, 'cni', 'leases'),
  });
  const runDirectory = `/run/stead-bench-${process.pid}`;
  const containerd = await startContainerd({
    dataDirectory: directory,
    runDirectory,
    cniConfDirectory,
    sandboxImage: PAUSE_IMAGE,
    log,
    clock,
  });
  await ensurePauseImage(containerd.socket);
  await loadImage(containerd.socket, archive, new AbortController().signal);
  const runtime = await criRuntime({ ...containerd, cgroupRoot: '/stead-bench', log, clock });
  const imageId = (await runtime.imageStatus(image))?.id ?? image;
  let count = 0;
  return {
    async startPod() {
      const uid = `floor-${count++}`;
      const startedMs = performance.now();
      const sandbox = sandboxSpec(uid, join(directory, 'logs', uid));
      const running = await runtime.runSandbox(sandbox);
      const id = await runtime.createContainer(running, sandbox, containerSpec(image, imageId));
      await runtime.startContainer(id);
      const took = performance.now() - startedMs;
      await runtime.stopContainer(id, 5);
      await runtime.stopSandbox(running.id);
      await runtime.removeSandbox(running.id);
      return took;
    },
    async close() {
      await runtime.close();
      await containerd.stop();
      await removeBridge(runCommand, network);
      rmSync(runDirectory, { recursive: true, force: true });
    },
  };
}

function sandboxSpec(uid: string, logDirectory: string): SandboxSpec {
  return {
    podUid: uid,
    namespace: 'default',
    name: uid,
    attempt: 0,
    hostname: uid,
    hostNetwork: false,
    hostPid: false,
    hostIpc: false,
    shareProcessNamespace: false,
    privileged: false,
    cgroupParent: `/stead-bench/${uid}`,
    labels: {},
    annotations: {},
    dns: { servers: [], searches: [], options: [] },
    portMappings: [],
    logDirectory,
    sysctls: {},
    supplementalGroups: [],
  };
}

function containerSpec(image: string, imageId: string): ContainerSpec {
  return {
    name: 'nginx',
    attempt: 0,
    image,
    imageId,
    command: [],
    args: [],
    workingDir: '',
    env: [],
    mounts: [],
    labels: {},
    annotations: {},
    stdin: false,
    stdinOnce: false,
    tty: false,
    resources: { cpuShares: 2, cpuQuotaUs: 0, memoryLimitBytes: 0, oomScoreAdj: 1000 },
    security: {
      privileged: false,
      readOnlyRootFilesystem: false,
      allowPrivilegeEscalation: true,
      supplementalGroups: [],
      addCapabilities: [],
      dropCapabilities: [],
      seccomp: { type: 'unconfined' },
    },
  };
}
