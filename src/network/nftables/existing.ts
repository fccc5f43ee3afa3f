// Asks nft what a table has now, and takes it away.
import { CommandError, type RunCommand } from '../../base/machine-command.ts';
import type { Existing } from './script.ts';

/** The parts of nft's JSON (libnftables-json(5)) that are read. */
interface Listing {
  nftables: Array<{
    chain?: { name: string; hook?: string };
    set?: { name: string; flags?: string[] };
    map?: { name: string; flags?: string[] };
  }>;
}

/** What of the table there is: nothing, if there is no such table. */
export async function readExisting(run: RunCommand, table: string): Promise<Existing> {
  const text = await run('nft', ['--json', '--terse', 'list', 'table', 'inet', table]).catch(noTable);
  if (!text) return { baseChains: [], chains: [], sets: [] };
  const { nftables }: Listing = JSON.parse(text);
  const chains = nftables.flatMap(({ chain }) => chain ?? []);
  return {
    baseChains: chains.filter(({ hook }) => hook !== undefined).map(({ name }) => name),
    chains: chains.filter(({ hook }) => hook === undefined).map(({ name }) => name),
    sets: nftables
      .flatMap(({ set, map }) => set ?? map ?? [])
      // Of `dynamic,timeout`, which only dynamic sets of ours have, some versions print the second alone.
      .map(({ name, flags = [] }) => ({ name, isDynamic: flags.includes('timeout') })),
  };
}

/** Takes the table away with all that is in it, if there is one. Does nothing where nft is not installed. */
export async function removeTable(run: RunCommand, table: string): Promise<void> {
  await run('nft', ['delete', 'table', 'inet', table]).catch((error: unknown) => {
    if (error instanceof CommandError && error.notInstalled) return '';
    return noTable(error);
  });
}

function noTable(error: unknown): '' {
  if (error instanceof CommandError && error.stderr.includes('No such file or directory')) return '';
  throw error;
}
