// What the machine says of itself: architecture, kernel, distribution, IDs, size of the data directory's disk. Read
// once.
import { readFile, statfs } from 'node:fs/promises';
import { arch, release } from 'node:os';

export interface MachineFacts {
  architecture: string;
  kernelVersion: string;
  osImage: string;
  machineId: string;
  bootId: string;
  diskBytes: number;
}

const GO_ARCHITECTURES: Record<string, string> = { x64: 'amd64', ia32: '386', loong64: 'loong64' };

export async function machineFacts(dataDirectory: string): Promise<MachineFacts> {
  const [osRelease, machineId, bootId, disk] = await Promise.all([
    text('/etc/os-release'),
    text('/etc/machine-id'),
    text('/proc/sys/kernel/random/boot_id'),
    statfs(dataDirectory).catch(() => undefined),
  ]);
  return {
    architecture: GO_ARCHITECTURES[arch()] ?? arch(),
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?/m.exec(osRelease)?.[1] ?? 'Linux',
    machineId,
    bootId,
    diskBytes: disk ? disk.blocks * disk.bsize : 0,
  };
}

async function text(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    return '';
  }
}
