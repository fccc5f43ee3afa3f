// What a simulated node has instead of disk and network: volumes that are always ready, files that are nowhere,
// checks that always succeed.
import type { NetworkChecks } from '../pods/node-services.ts';
import type { PodFiles } from '../pods/pod-files.ts';
import type { PodVolumes } from '../volumes/volumes.ts';

export function simulatedVolumes(): PodVolumes {
  return {
    async setUp(pod) {
      const volumes = pod.spec.volumes ?? [];
      return new Map(volumes.map(({ name }) => [name, { hostPath: `/simulated/${name}`, readOnly: false }]));
    },
    async refresh() {},
    async tearDown() {},
    async podsOnDisk() {
      return [];
    },
  };
}

export const simulatedFiles: PodFiles = {
  hosts: async () => undefined,
  terminationLog: async () => undefined,
  readTerminationLog: async () => '',
  logTail: async () => '',
  ensureInside: async () => {},
  remove: async () => {},
};

const OK = { ok: true, message: '' };

export const simulatedChecks: NetworkChecks = {
  http: async () => OK,
  tcp: async () => OK,
  grpc: async () => OK,
};
