// containerd's own client program, for what the container runtime interface has no call for: bringing images in
// from files. Kubernetes' images live in containerd's namespace `k8s.io`.
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { programEnvironment, runCommand } from '../machine/command.ts';

const NAMESPACE = 'k8s.io';

const baseArguments = (socket: string): string[] => [
  '--address',
  socket,
  '--namespace',
  NAMESPACE,
  '--connect-timeout',
  '3s',
];

/** The names of the images that containerd holds. */
export async function imageNames(socket: string): Promise<Set<string>> {
  const listed = await runCommand('ctr', [...baseArguments(socket), 'images', 'list', '--quiet']);
  return new Set(listed.split('\n').filter(Boolean));
}

/**
 * Imports an image archive (a tar stream, not compressed) and unpacks it.
 * @param signal ends it, with an error.
 * @throws Error with what ctr said.
 */
export async function importImages(socket: string, archive: Readable, signal: AbortSignal): Promise<void> {
  const child = spawn('ctr', [...baseArguments(socket), 'images', 'import', '-'], {
    env: programEnvironment(),
    stdio: ['pipe', 'ignore', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4096);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  // When ctr gives up, it stops reading: what it said is the better error.
  const written = pipeline(archive, child.stdin, { signal }).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? undefined : error),
  );
  const [code, writeError] = await Promise.all([ended, written]);
  if (code !== 0) throw new Error(said.trim().replace(/^ctr: /, '') || `ctr ended with exit code ${code}`);
  if (writeError) throw writeError;
}
