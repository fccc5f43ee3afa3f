// stead down: stops all pods in order, then stead itself. When no stead runs but its containers do (it was killed),
// one is started for as long as it takes to stop them. With --purge everything stead made is removed.
import { existsSync } from 'node:fs';
import { sleep } from '../../api/clock.ts';
import { call, processInfo } from '../../cluster/control-socket.ts';
import { stopLeftovers } from '../../cluster/leftovers.ts';
import { pathsOf } from '../../cluster/paths.ts';
import { purge } from '../../cluster/purge.ts';
import { systemClock } from '../../cluster/system-clock.ts';

export async function down(options: { dataDir: string; purge: boolean }): Promise<void> {
  const paths = pathsOf(options.dataDir);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  if (!existsSync(paths.data) && !existsSync(paths.run)) {
    say(`There is nothing at ${paths.data}.`);
    return;
  }
  const running = await processInfo(paths.controlSocket);
  if (running) {
    await call(paths.controlSocket, 'POST', '/down', (text) => process.stdout.write(text));
    await ended(running.pid);
  } else {
    await stopLeftovers(paths, say);
  }
  if (options.purge) await purge(paths);
  say(options.purge ? `stead is down; ${paths.data} is gone.` : 'stead is down; its data stays.');
}

/** Waits until the process has ended: only then nobody holds the store any more. */
async function ended(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await sleep(systemClock, 10);
  }
}
