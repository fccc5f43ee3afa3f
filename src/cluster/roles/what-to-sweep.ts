// Where on this machine the pods of a data directory leave something, for the sweeper.
import { join } from 'node:path';
import { CNI_RESULTS, networkName } from '../../network/cni/config.ts';
import { runCommand } from '../../node/machine/command.ts';
import { strayShims } from '../../node/sweep/stray-shims.ts';
import {
  strayCgroups,
  strayDirectories,
  strayLeases,
  strayNamespaces,
  strayResults,
  strayTrials,
  strayUses,
} from '../../node/sweep/strays.ts';
import type { SweepOptions } from '../../node/sweep/sweeper.ts';
import type { LocalVolumes } from '../../node/volumes/local/local-volumes.ts';
import type { Paths } from '../disk/paths.ts';
import { cgroupRootOf } from '../process/cgroup-root.ts';
import type { RunningPodNetwork } from './pod-network.ts';

/** The UID at the end of `<namespace>_<name>_<uid>`. */
const uidOfLog = (name: string): string | undefined => /^[^_]+_[^_]+_([^_]+)$/.exec(name)?.[1];

export function whatToSweep(
  paths: Paths,
  network: RunningPodNetwork,
  volumes: LocalVolumes,
  containerdSocket: string,
): Pick<SweepOptions, 'atStart' | 'find'> {
  const name = networkName(network);
  const namespaces = join(paths.run, 'containerd', 'state', 'io.containerd.grpc.v1.cri', 'netns');
  return {
    atStart: (owners) => strayCgroups(cgroupRootOf(paths), owners),
    async find(owners) {
      const found = await Promise.all([
        strayCgroups(cgroupRootOf(paths), owners),
        strayLeases(join(network.leaseDirectory, name), owners),
        strayResults(CNI_RESULTS, name, owners),
        strayNamespaces(namespaces, runCommand, owners),
        strayDirectories(join(paths.data, 'pod-files'), (uid) => uid, runCommand, owners),
        strayDirectories(paths.podLogs, uidOfLog, runCommand, owners),
        strayUses(volumes, owners),
        strayShims(containerdSocket, owners),
        strayTrials(volumes.volumesDirectory, runCommand),
      ]);
      return found.flat();
    },
  };
}
