// Who a server is among the servers of its cluster, for leases. It is the data directory's, and not the process's: a
// data directory has one process at a time, so that a lease of its last one, however that ended, is its own.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Random } from '../../base/clock.ts';
import type { Paths } from './paths.ts';

/** The identity of the data directory's server, as client-go's (`machine_uuid`); made and written down if there is none. */
export async function serverIdentity({ identity: file }: Paths, random: Random): Promise<string> {
  const known = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (known !== '') return known;
  const made = `${hostname()}_${random.uuid()}`;
  try {
    await writeFile(`${file}.new`, `${made}\n`);
    await rename(`${file}.new`, file);
  } catch {
    // On a full disk it is this process's alone, and the next one has to wait until its leases have run out.
  }
  return made;
}
