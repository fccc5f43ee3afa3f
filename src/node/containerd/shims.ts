// containerd's shims: one process a pod, which outlives containerd. Found by the socket that they report to, so
// that no other containerd's are ever taken for ours.
import { readdir, readFile, rm } from 'node:fs/promises';

export interface ProcessEntry {
  pid: number;
  parentPid: number;
  args: string[];
}

/** All processes of the machine; those that end meanwhile are left out. */
export async function listProcesses(): Promise<ProcessEntry[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const entries = await Promise.all(pids.map(readProcess));
  return entries.filter((entry) => entry !== undefined);
}

/** Undefined if there is none, or only a zombie that nobody has waited for yet. */
export async function readProcess(pid: number): Promise<ProcessEntry | undefined> {
  try {
    const [cmdline, stat] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ]);
    // The program's name stands in parentheses and may itself hold any character.
    const [state, parentPid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z') return undefined;
    return { pid, parentPid: Number(parentPid), args: cmdline.split('\0').slice(0, -1) };
  } catch {
    return undefined;
  }
}

/** The shims that belong to the containerd at `socket`. */
export function shimsOf(processes: readonly ProcessEntry[], socket: string): ProcessEntry[] {
  return processes.filter(
    ({ args }) => args[0]?.includes('containerd-shim') && args[args.indexOf('-address') + 1] === socket,
  );
}

/**
 * Kills the shims at `socket` and the containers below them: the last resort of a purge, after the pods could not
 * be taken down in order.
 */
export async function killShims(socket: string): Promise<void> {
  const processes = await listProcesses();
  for (const shim of shimsOf(processes, socket)) await killShim(shim, processes);
}

/** Kills a shim and the containers below it. @param processes all that there are. */
export async function killShim(shim: ProcessEntry, processes: readonly ProcessEntry[]): Promise<void> {
  // A shim that ends in order removes its own socket; its address is noted where it runs.
  const address = await readFile(`/proc/${shim.pid}/cwd/address`, 'utf8').catch(() => '');
  for (const { pid } of processes.filter((entry) => entry.parentPid === shim.pid)) sendSignal(pid, 'SIGKILL');
  sendSignal(shim.pid, 'SIGKILL');
  if (address.startsWith('unix://')) await rm(address.slice('unix://'.length), { force: true });
}

/** Does nothing if the process has ended meanwhile. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}
