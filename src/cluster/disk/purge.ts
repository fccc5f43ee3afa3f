// `stead down --purge`: removes everything that stead made on this machine, once nothing of it runs.
import { existsSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorText } from '../../base/error-text.ts';
import { silentLog } from '../../base/log.ts';
import { endContainerd } from '../../node/containerd/containerd.ts';
import { removeCgroup, removeEmptyCgroup } from '../../node/cri/cgroups.ts';
import { runCommand } from '../../node/machine/command.ts';
import { cleanUpAll } from '../../node/volumes/local/clean-up.ts';
import type { FileLock } from '../../store/file-lock.ts';
import { lockStore } from '../../store/lmdb/lock.ts';
import { StoreInUseError } from '../../store/store.ts';
import { uninstallHostDns } from '../host-dns/host-dns.ts';
import { killNode } from '../neighbour/end-node.ts';
import { CGROUP_OF_ALL, cgroupRootOf } from '../process/cgroup-root.ts';
import { systemClock } from '../process/system-clock.ts';
import { UserError } from '../process/user-error.ts';
import { readPodNetwork, removePodNetwork } from '../roles/pod-network.ts';
import { ownEntries } from './data-directory.ts';
import type { Paths } from './paths.ts';

/**
 * Idempotent.
 * @throws UserError if it is no data directory of stead, or one has been started there meanwhile; Error if something below the directories is still in use.
 *   Nothing is removed then.
 */
export async function purge(paths: Paths): Promise<void> {
  await ownEntries(paths);
  const lock = existsSync(paths.store) ? await lockAgainstOthers(paths) : undefined;
  try {
    await removeEverything(paths);
  } finally {
    lock?.release();
  }
}

async function lockAgainstOthers(paths: Paths): Promise<FileLock> {
  try {
    return await lockStore(paths.store);
  } catch (error) {
    if (error instanceof StoreInUseError) {
      throw new UserError(`Nothing is removed: ${error.message}. Try again when it has ended.`);
    }
    const why = errorText(error);
    throw new UserError(`Nothing is removed, since the store cannot be locked: ${why}.`);
  }
}

async function removeEverything(paths: Paths): Promise<void> {
  if (existsSync(paths.run)) await killNode(paths, systemClock);
  // The machine is not to ask an address that is about to go.
  await uninstallHostDns({ root: '/', run: runCommand }, paths);
  const network = await readPodNetwork(paths);
  // Without a network no machine role ever ran here, and nothing was mounted.
  if (network) {
    await endContainerd({
      dataDirectory: paths.data,
      runDirectory: paths.run,
      clock: systemClock,
      log: silentLog,
    });
    await cleanUpAll(runCommand, [paths.data, paths.run]);
    await removePodNetwork(paths);
    await removeCgroup(cgroupRootOf(paths));
    await removeEmptyCgroup(CGROUP_OF_ALL);
  }
  const own = (await ownEntries(paths)).filter((name) => name !== basename(paths.layout));
  await Promise.all(own.map((name) => rm(join(paths.data, name), { recursive: true, force: true })));
  // The sign that it is stead's goes last: until then a purge that was cut short can be done again.
  await rm(paths.layout, { force: true });
  // It stays if it is a disk's mount point, or if something else lay there before.
  await rmdir(paths.data).catch(() => {});
  await rm(paths.run, { recursive: true, force: true });
  // The directory above holds those of all instances: it goes with the last.
  await rmdir(dirname(paths.run)).catch(() => {});
}
