// What the node of a data directory is called. Volumes lie on it and pods are bound to it by this name, so that it is the data
// directory's, and not the machine's: it is chosen once, and a machine that is renamed keeps it.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dns1123Subdomain } from '../../api/names.ts';
import { nodes } from '../../api/resources/nodes/definition.ts';
import { persistentVolumes } from '../../api/resources/persistent-volumes/definition.ts';
import type { Client } from '../../client/client.ts';
import { UserError } from '../process/user-error.ts';
import type { Paths } from './paths.ts';

/**
 * The name of the data directory's node; chosen and written down if there is none yet.
 * @param asked by `--node-name`.
 * @throws UserError if another is asked for than the data directory has, or one that no node can have.
 */
export async function nodeNameOf(paths: Paths, asked: string | undefined, client: Client): Promise<string> {
  const known = (await readNodeName(paths)) ?? (await nameOfOldNode(client));
  if (known !== undefined && asked !== undefined && known !== asked) {
    throw new UserError(
      `The node of ${paths.data} is called ${known}, and its pods and volumes are bound to that name: leave out --node-name, or give another --data-dir.`,
    );
  }
  const name = known ?? asked ?? machineName();
  if (known === undefined || (await readNodeName(paths)) === undefined) {
    await writeFile(`${paths.node}.new`, `${JSON.stringify({ nodeName: name })}\n`);
    await rename(`${paths.node}.new`, paths.node);
  }
  return name;
}

/** Undefined if there is none yet. */
async function readNodeName(paths: Paths): Promise<string | undefined> {
  const text = await readFile(paths.node, 'utf8').catch(() => '');
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'nodeName' in parsed) return String(parsed.nodeName);
  } catch {
    // Missing, or of a time before the name was written down.
  }
  return undefined;
}

/** The node's name as earlier versions chose it, found among its objects: the one that has most of the volumes. */
async function nameOfOldNode(client: Client): Promise<string | undefined> {
  const [known, volumes] = await Promise.all([client.list(nodes), client.list(persistentVolumes)]);
  // Simulated nodes have no kernel, and no volumes that would be missed.
  const real = known.items.filter(({ status }) => status?.nodeInfo?.kernelVersion !== 'simulated');
  const affinities = volumes.items.map(({ spec }) => JSON.stringify(spec.nodeAffinity ?? {}));
  const counts = real.map(({ metadata: { name } }) => ({
    name,
    volumes: affinities.filter((text) => text.includes(JSON.stringify(name))).length,
  }));
  return counts.sort((a, b) => b.volumes - a.volumes)[0]?.name;
}

function machineName(): string {
  const name = hostname().toLowerCase();
  if (isNodeName(name)) return name;
  throw new UserError(
    `The machine's name ${JSON.stringify(name)} is none that a node can have: give one with --node-name.`,
  );
}

/** As many bytes as the label `kubernetes.io/hostname` may have. */
const MAX_BYTES = 63;

/** Whether a node may be called that: a DNS subdomain of RFC 1123 that fits into a label. */
export function isNodeName(name: string): boolean {
  return dns1123Subdomain(name).length === 0 && name.length <= MAX_BYTES;
}
