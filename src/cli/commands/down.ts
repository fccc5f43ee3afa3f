// stead down: stops all pods in order, then stead itself. When no stead runs but its containers do (it was killed),
// one is started for as long as it takes to stop them. With --purge everything stead made is removed.
import { existsSync } from 'node:fs';
import { sleep } from '../../base/clock.ts';
import { ownEntries } from '../../cluster/disk/data-directory.ts';
import { type Paths, pathsOf } from '../../cluster/disk/paths.ts';
import { purge } from '../../cluster/disk/purge.ts';
import { call, HungError, processInfo } from '../../cluster/process/control-socket.ts';
import { stopLeftovers } from '../../cluster/process/leftovers.ts';
import { refuseOtherUsers } from '../../cluster/process/other-users.ts';
import { systemClock } from '../../cluster/process/system-clock.ts';
import { UserError } from '../../cluster/process/user-error.ts';
import { lockStore } from '../../store/lmdb/lock.ts';
import { StoreInUseError } from '../../store/store.ts';

export async function down(options: { dataDir: string; purge: boolean }): Promise<void> {
  const paths = pathsOf(options.dataDir);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  if (!existsSync(paths.data) && !existsSync(paths.run)) {
    await refuseOtherUsers(paths);
    say(`There is nothing at ${paths.data}.`);
    return;
  }
  if (!existsSync(paths.layout)) await ownEntries(paths);
  await stop(paths, say);
  if (options.purge) await purge(paths);
  say(`stead is down; ${options.purge ? purged(paths) : 'its data stays.'}`);
}

function purged({ data }: Paths): string {
  return existsSync(data) ? `what it had in ${data} is gone.` : `${data} is gone.`;
}

async function stop(paths: Paths, say: (line: string) => void): Promise<void> {
  try {
    const running = await processInfo(paths.controlSocket);
    if (running) {
      await call(paths.controlSocket, 'POST', '/down', (text) => process.stdout.write(text));
      return await ended(running.pid, say);
    }
    await refuseOtherUsers(paths);
  } catch (error) {
    if (!(error instanceof HungError)) throw error;
    // What it was asked to do is done without it: the store and the containers are made to survive its death.
    const pid = await storeHolder(paths);
    if (pid === undefined) throw error;
    say(`stead (pid ${pid}) does not answer: it is killed, and what it ran is stopped without it.`);
    process.kill(pid, 'SIGKILL');
    await ended(pid, say);
  }
  await stopLeftovers(paths, say);
}

/** The process that has the store open, by the word of the kernel's lock. */
async function storeHolder(paths: Paths): Promise<number | undefined> {
  try {
    (await lockStore(paths.store)).release();
    return undefined;
  } catch (error) {
    return error instanceof StoreInUseError ? error.pid : undefined;
  }
}

/** How long a process that has said farewell may take to go; and then, a killed one. */
const FAREWELL_MS = 60_000;

/** Waits until the process has ended: only then nobody holds the store any more. Kills it if it does not. */
async function ended(pid: number, say: (line: string) => void): Promise<void> {
  if (await endsWithin(pid, FAREWELL_MS)) return;
  say(`stead (pid ${pid}) does not end by itself: it is killed.`);
  process.kill(pid, 'SIGKILL');
  if (await endsWithin(pid, FAREWELL_MS)) return;
  throw new UserError(
    `The process of stead (pid ${pid}) has been killed and does not go: its disk may not answer.`,
  );
}

async function endsWithin(pid: number, limitMs: number): Promise<boolean> {
  const giveUpAtMs = systemClock.now() + limitMs;
  while (systemClock.now() < giveUpAtMs) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await sleep(systemClock, 10);
  }
  return false;
}
