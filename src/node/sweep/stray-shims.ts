// Finds shims of sandboxes that the runtime does not know: of one that containerd was making when it was killed, before it
// had noted it. Nobody else would ever end them.
import { killShim, listProcesses, type ProcessEntry, shimsOf } from '../containerd/shims.ts';
import type { Owners, Stray } from './stray.ts';

/** The containerd namespace of pods; what people run in others by hand is theirs. */
const NAMESPACE = 'k8s.io';

/** @param socket of the containerd to which they report. */
export async function strayShims(socket: string, owners: Owners): Promise<Stray[]> {
  return strayShimsAmong(await listProcesses(), socket, owners);
}

/** The same of processes that are handed over. */
export function strayShimsAmong(
  processes: readonly ProcessEntry[],
  socket: string,
  { sandboxIds }: Pick<Owners, 'sandboxIds'>,
): Stray[] {
  const word = ({ args }: ProcessEntry, flag: string): string | undefined => args[args.indexOf(flag) + 1];
  return shimsOf(processes, socket)
    .filter((shim) => word(shim, '-namespace') === NAMESPACE && !sandboxIds.has(word(shim, '-id') ?? ''))
    .map((shim) => ({
      what: `shim ${word(shim, '-id')} (process ${shim.pid})`,
      remove: async () => killShim(shim, await listProcesses()),
    }));
}
