// The machine's own programs that the containerd runtime needs, and the sentence for each that is missing.
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { programPath } from '../machine/command.ts';

/** Something that stead needs of this machine is missing; the message says what, and what to do. */
export class MissingPrerequisiteError extends Error {}

export interface ContainerPrograms {
  containerd: string;
  ctr: string;
  runc: string;
  /** The directory of the CNI plugins. */
  cniBinDirectory: string;
}

/** The plugins that stead's network configuration names. */
const CNI_PLUGINS = ['bridge', 'host-local', 'loopback', 'portmap'];
/** Debian's and Ubuntu's place, then the upstream archive's and most other distributions'. */
const CNI_DIRECTORIES = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'];
const INSTALL =
  'run `apt-get install containerd runc containernetworking-plugins`, or use your distribution’s packages of these';

/** Finds a program as a shell would, and in the directories of system programs. */
async function findProgram(name: string): Promise<string | undefined> {
  for (const directory of programPath().split(':')) {
    if (directory && (await isExecutable(join(directory, name)))) return join(directory, name);
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/**
 * Finds all that is needed to run containers.
 * @throws MissingPrerequisiteError naming the first thing that is missing.
 */
export async function findContainerPrograms(): Promise<ContainerPrograms> {
  if (process.getuid?.() !== 0) {
    throw new MissingPrerequisiteError(
      'running containers needs root: run stead with sudo, or with `--runtime simulated` to try it without containers',
    );
  }
  const required = async (name: string): Promise<string> => {
    const path = await findProgram(name);
    if (!path) throw new MissingPrerequisiteError(`${name} is not installed: ${INSTALL}`);
    return path;
  };
  const containerd = await required('containerd');
  const ctr = await required('ctr');
  const runc = await required('runc');
  return { containerd, ctr, runc, cniBinDirectory: await findCniDirectory() };
}

async function findCniDirectory(): Promise<string> {
  for (const directory of CNI_DIRECTORIES) {
    const found = await Promise.all(CNI_PLUGINS.map((plugin) => isExecutable(join(directory, plugin))));
    if (found.every(Boolean)) return directory;
  }
  throw new MissingPrerequisiteError(
    `the CNI plugins ${CNI_PLUGINS.join(', ')} are not installed in ${CNI_DIRECTORIES.join(' or ')}: ${INSTALL}`,
  );
}
