// Finds the running stead of a data directory and speaks to its API as its administrator.
import { readFile } from 'node:fs/promises';
import type { Client } from '../client/client.ts';
import { httpsClient } from '../client/https.ts';
import { parseKubeconfig } from '../client/kubeconfig.ts';
import { type Paths, pathsOf } from '../cluster/disk/paths.ts';
import { type ProcessInfo, processInfo } from '../cluster/process/control-socket.ts';
import { refuseOtherUsers } from '../cluster/process/other-users.ts';
import { UserError } from '../cluster/process/user-error.ts';

export interface Connection {
  paths: Paths;
  info: ProcessInfo;
  client: Client;
}

/** @throws UserError if no stead runs on the directory. */
export async function connect(dataDirectory: string): Promise<Connection> {
  const paths = pathsOf(dataDirectory);
  const info = await processInfo(paths.controlSocket);
  if (!info) await refuseOtherUsers(paths);
  if (!info) throw new UserError(`stead is not running on ${paths.data}: start it with \`stead up\`.`);
  const client = httpsClient(parseKubeconfig(await readKubeconfig(paths.kubeconfig)));
  return { paths, info, client };
}

/** The text of the administrator's kubeconfig. Throws UserError if it cannot be read. */
export async function readKubeconfig(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new UserError(`There is no kubeconfig at ${file} yet: start stead with \`stead up\`.`);
    }
    throw new UserError(
      `The kubeconfig ${file} cannot be read (${code}): become the user that started stead, or root.`,
    );
  }
}
