// `stead down` when no stead runs but its containers do: one is started for as long as it takes to stop them.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '../../base/log.ts';
import { startCluster } from '../cluster.ts';
import type { Paths } from '../disk/paths.ts';

/** @param say gets a line for every pod that was stopped. */
export async function stopLeftovers(paths: Paths, say: (line: string) => void): Promise<void> {
  // containerd and the node go on when stead is killed; in order, they take these with them.
  const signs = [join(paths.run, 'containerd', 'containerd.pid'), paths.nodeLock];
  if (!signs.some((sign) => existsSync(sign))) return;
  const config = {
    dataDirectory: paths.data,
    port: 0,
    runtime: 'containerd',
    simulatedNodes: 1,
    // All of them are about to be stopped in order.
    pressure: { thresholds: [], transitionPeriodMs: 0 },
  } as const;
  const cluster = await startCluster(config, silentLog);
  try {
    await cluster.stopEverything(say);
  } finally {
    await cluster.close();
  }
}
