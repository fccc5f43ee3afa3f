// The other steads of this machine, as far as they have to keep out of each other's way: each says in its run directory
// which range its Services have. What is said there counts as long as the data directory that it is said of is there and
// says the same.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Paths, pathsOf } from '../disk/paths.ts';
import { readServiceCidr } from '../disk/service-cidr.ts';

export interface SteadBeside {
  /** Its data directory. */
  data: string;
  /** The addresses of its Services. */
  serviceCidr: string;
}

const FILE = 'services.json';

/** Says to the others what this one has. */
export async function sayToOthers({ data, run }: Paths, serviceCidr: string): Promise<void> {
  await writeFile(join(run, FILE), `${JSON.stringify({ data, serviceCidr })}\n`);
}

/** The others on this machine, whether they run or not, by their data directories. */
export async function steadsBeside(paths: Paths): Promise<SteadBeside[]> {
  const above = dirname(paths.run);
  const found: SteadBeside[] = [];
  for (const name of await readdir(above).catch(() => [])) {
    const run = join(above, name);
    if (run === paths.run) continue;
    const data = await dataDirectoryOf(run);
    if (data === undefined) continue;
    const other = pathsOf(data);
    const serviceCidr = await readServiceCidr(other);
    if (serviceCidr !== undefined && other.run === run) found.push({ data, serviceCidr });
  }
  return found.sort((a, b) => (a.data < b.data ? -1 : 1));
}

async function dataDirectoryOf(run: string): Promise<string | undefined> {
  try {
    const said: unknown = JSON.parse(await readFile(join(run, FILE), 'utf8'));
    if (typeof said === 'object' && said !== null && 'data' in said && typeof said.data === 'string') {
      return said.data;
    }
  } catch {
    // It is no stead's, or one of an earlier version.
  }
  return undefined;
}
