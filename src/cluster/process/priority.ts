// How much the machine's processors prefer this process to others. Containers, and containerd itself, are not preferred:
// whoever starts them gives back what is taken here.
import { readdirSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * The node's turn comes before that of what keeps a machine busy, the API's process included: a probe or a name that waits for a
 * processor is a pod that is taken for dead. It uses a few percent of one, so nobody else notices.
 */
const NODE_NICENESS = -10;

/**
 * Every thread of it that there is: one that looks through the heap is waited for by the one that answers. Threads and
 * programs that are started later inherit it. Many kernels share a processor between sessions first (sched(7), autogroup), so
 * that of this process, which is to be its own, is preferred too. Without the right to it, as in some containers, all stays.
 */
export function preferThisProcess(): void {
  // One by one: a thread may have ended since.
  for (const thread of readdirSync('/proc/self/task')) {
    ifAllowed(() => setPriority(Number(thread), NODE_NICENESS));
  }
  ifAllowed(() => writeFileSync('/proc/self/autogroup', `${NODE_NICENESS}`));
}

const DENIED: readonly unknown[] = ['ERR_SYSTEM_ERROR', 'EPERM', 'EACCES', 'EROFS', 'ENOENT'];

function ifAllowed(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && DENIED.includes(error.code))) throw error;
  }
}
