// Loop devices as the kernel lists them: which file stands behind which device.
import { eachOrThrow } from '../../base/each-by-itself.ts';
import type { RunCommand } from '../../base/machine-command.ts';

export interface LoopDevice {
  /** `/dev/loop3` */
  name: string;
  /** The path of the file, as it was when the device was attached. */
  file: string;
}

/** Reads `losetup --list --json`; it prints nothing at all when there are none. */
export function parseLoopDevices(text: string): LoopDevice[] {
  if (!text.trim()) return [];
  const parsed: { loopdevices?: Array<Record<string, unknown>> } = JSON.parse(text);
  return (parsed.loopdevices ?? []).map((device) => ({
    name: String(device.name),
    // The kernel marks a file that has been removed meanwhile.
    file: String(device['back-file'] ?? '').replace(/ \(deleted\)$/, ''),
  }));
}

export async function listLoopDevices(run: RunCommand): Promise<LoopDevice[]> {
  return parseLoopDevices(await run('losetup', ['--list', '--json', '--output', 'NAME,BACK-FILE']));
}

/** Detaches the devices whose file fits. One still mounted elsewhere is freed by the kernel when that mount goes. */
export async function detachLoopDevices(run: RunCommand, fits: (file: string) => boolean): Promise<void> {
  const fitting = (await listLoopDevices(run)).filter((device) => fits(device.file));
  await eachOrThrow(fitting, 1, (device) => run('losetup', ['--detach', device.name]));
}
