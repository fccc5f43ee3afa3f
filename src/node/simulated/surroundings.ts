// What a simulated node has instead of disk and network: volumes that are always ready, files that are nowhere,
// checks that always succeed.
import type { Pod } from '../../api/generated/types.ts';
import type { NetworkChecks } from '../pods/do/node-services.ts';
import type { PodFiles } from '../pods/do/pod-files.ts';
import type { ImageUser } from '../runtime.ts';
import type { MachineFacts } from '../status/machine-facts.ts';
import type { VolumeKeeper } from '../volumes/local/run.ts';
import type { PodVolumes } from '../volumes/volumes.ts';

export function simulatedVolumes(): PodVolumes {
  return {
    async setUp(pod) {
      const volumes = pod.spec.volumes ?? [];
      return new Map(volumes.map(({ name }) => [name, { hostPath: `/simulated/${name}`, readOnly: false }]));
    },
    async refresh() {},
    subPath: async (_place, { hostPath }, path) => `${hostPath}/${path}`,
    async tearDown() {},
    async podsOnDisk() {
      return [];
    },
  };
}

/**
 * Volumes without bytes: whatever is asked of them is done.
 * @param volumesDirectory what the node says in its annotation `stead.dev/volume-directory`.
 */
export function simulatedKeeper(volumesDirectory: string): VolumeKeeper {
  return { volumesDirectory, grow: async () => {}, remove: async () => true, onReleased: () => () => {} };
}

export const simulatedFiles: PodFiles = {
  machineHosts: async () => '',
  hosts: async () => undefined,
  terminationLog: async () => undefined,
  readTerminationLog: async () => '',
  logTail: async () => '',
  removeRun: async () => {},
  remove: async () => {},
};

const OK = { ok: true, message: '' };

export const simulatedChecks: NetworkChecks = {
  http: async () => OK,
  tcp: async () => OK,
  grpc: async () => OK,
};

/** `"false"` on a pod: its containers count as not ready. */
const SIMULATED_READY = 'simulated.stead.dev/ready';

/** Lets `kubectl annotate` decide whether a simulated pod is ready. */
export function simulatedHold(pod: Pod): string | undefined {
  const held = pod.metadata.annotations?.[SIMULATED_READY] === 'false';
  return held ? `the annotation ${SIMULATED_READY} is "false"` : undefined;
}

/** A number on a pod: its containers end with that exit code as soon as they have started. */
export const SIMULATED_EXIT_CODE = 'simulated.stead.dev/exit-code';

/** Lets a manifest decide how a simulated pod ends; undefined: it runs until it is stopped. */
export function simulatedExitCode(annotations: Readonly<Record<string, string>>): number | undefined {
  const code = annotations[SIMULATED_EXIT_CODE] ?? '';
  return /^\d{1,3}$/.test(code) ? Number(code) : undefined;
}

/** A number on a pod: its images ask to be run as that user; `"0"` is root. */
const SIMULATED_IMAGE_USER = 'simulated.stead.dev/image-user';

/** Without the annotation: what images that are made to run without root usually ask for. */
const USUAL_USER = 65_532;

/** Lets a manifest decide whom a simulated image runs as, for runAsNonRoot. */
export function simulatedImageUser(pod: Pod): ImageUser {
  const asked = pod.metadata.annotations?.[SIMULATED_IMAGE_USER] ?? '';
  return { uid: /^\d{1,10}$/.test(asked) ? Number(asked) : USUAL_USER };
}

export const simulatedFacts: MachineFacts = {
  architecture: 'amd64',
  kernelVersion: 'simulated',
  osImage: 'simulated',
  machineId: '',
  bootId: '',
  diskBytes: 100 * 1024 ** 3,
};
