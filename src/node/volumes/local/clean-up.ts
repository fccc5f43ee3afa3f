// Takes down everything that is mounted below stead's directories, so that they can be removed. For a purge: the
// bytes of volumes are not spared afterwards, but nothing outside may ever be reached through a forgotten mount.
import { realpath } from 'node:fs/promises';
import { eachOrThrow } from '../../../base/each-by-itself.ts';
import type { RunCommand } from '../../../base/machine-command.ts';
import { detachLoopDevices } from '../../machine/loop-devices.ts';
import { mountsBelow, readMounts, unmountBelow } from '../../machine/mounts.ts';

/**
 * Unmounts all at and below the directories and detaches the loop devices of files there. Idempotent.
 * @throws Error naming a mount that is in use; then the directories must not be removed.
 */
export async function cleanUpAll(run: RunCommand, directories: readonly string[]): Promise<void> {
  await eachOrThrow(directories, 1, async (given) => {
    const directory = await realpath(given).catch(() => undefined);
    if (!directory) return;
    await unmountBelow(run, directory);
    await detachLoopDevices(run, (file) => file.startsWith(`${directory}/`));
    const [left] = mountsBelow(await readMounts(), directory);
    if (left) throw new Error(`${left.mountPoint} is still mounted: end what uses it, then try again`);
  });
}
