// Input of commands that ended without reading it. containerd copies a command's input into a named pipe, and reports
// that the command has ended only when that copying has: of a pipe that is full and that nobody reads, never, and it
// keeps the pipe for as long as the container lives. So the pipes of commands that have ended are emptied here.
import { constants } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { CriChannel } from './channel.ts';

const SUFFIX = '-stdin';
/** A pipe holds as much, unless somebody has made it larger. */
const PIPE_BYTES = 64 * 1024;

/** Where containerd's CRI plug-in keeps a container's pipes: `<number>/<exec ID>-stdin`. */
function pipesOf(stateDirectory: string, containerId: string): string {
  return join(stateDirectory, 'io.containerd.grpc.v1.cri', 'containers', containerId, 'io');
}

/**
 * Empties the input of every command that has ended in a container.
 * @param stateDirectory containerd's.
 */
export async function emptyUnreadInput(
  channel: CriChannel,
  stateDirectory: string,
  containerId: string,
): Promise<void> {
  const directory = pipesOf(stateDirectory, containerId);
  const entries = await readdir(directory, { recursive: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.endsWith(SUFFIX)) continue;
    const execId = basename(entry).slice(0, -SUFFIX.length);
    // The container's own input is that of its first process, which lives as long as it does.
    if (execId === containerId) continue;
    if (await channel.hasEnded(containerId, execId)) await empty(join(directory, entry));
  }
}

/** Reads what is in a pipe now. */
async function empty(path: string): Promise<void> {
  let pipe: FileHandle | undefined;
  try {
    pipe = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const buffer = Buffer.allocUnsafe(PIPE_BYTES);
    while ((await pipe.read(buffer)).bytesRead > 0);
  } catch {
    // It is empty (EAGAIN), or gone: containerd has gone on.
  } finally {
    await pipe?.close();
  }
}
