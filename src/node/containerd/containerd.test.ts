import assert from 'node:assert/strict';
import { access, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { type Clock, sleep } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { loadImage } from '../images/import.ts';
import { ensurePauseImage, PAUSE_IMAGE, pauseImageArchive } from '../images/pause-image.ts';
import { runCommand } from '../machine/command.ts';
import { mountsBelow, readMounts, removeUnmounted } from '../machine/mounts.ts';
import { containerdConfig, mayLowerOomScore } from './config.ts';
import { type ContainerdOptions, endContainerd, startContainerd } from './containerd.ts';
import { findContainerPrograms } from './programs.ts';
import { killShims, listProcesses, readProcess, shimsOf } from './shims.ts';

const clock: Clock = {
  now: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};
const missing = await findContainerPrograms().then(
  () => undefined,
  (error: Error) => error.message,
);
const needsContainerd = missing === undefined ? {} : { skip: missing };

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await condition()); waited += 20) {
    assert.ok(waited < 20_000, `waited in vain for: ${what}`);
    await sleep(clock, 20);
  }
}

/** Directories of its own; whatever the test leaves running there is ended. */
async function places(context: TestContext): Promise<ContainerdOptions> {
  const directory = await mkdtemp(join(tmpdir(), 'stead-containerd-'));
  const options = {
    dataDirectory: join(directory, 'data'),
    runDirectory: join(directory, 'run'),
    cniConfDirectory: join(directory, 'data', 'cni', 'net.d'),
    sandboxImage: PAUSE_IMAGE,
    log: silentLog,
    clock,
  };
  context.after(async () => {
    const socket = join(options.runDirectory, 'containerd', 'containerd.sock');
    const isOurs = (args: string[]): boolean =>
      args.some((arg) => arg.startsWith(`${options.runDirectory}/`));
    await killShims(socket);
    for (const { pid, args } of await listProcesses()) if (isOurs(args)) process.kill(pid, 'SIGKILL');
    await until(
      'the processes to end',
      async () => !(await listProcesses()).some(({ args }) => isOurs(args)),
    );
    await removeUnmounted(runCommand, directory);
  });
  return options;
}

/** ctr has places of its own for these, which the next test run would find. */
const ownPlaces = ({ runDirectory }: ContainerdOptions): string[] => [
  '--runc-root',
  join(runDirectory, 'runc'),
  '--fifo-dir',
  join(runDirectory, 'fifo'),
];

test('started, adopted, and stopped without a trace but its content', needsContainerd, async (context) => {
  const options = await places(context);
  const first = await startContainerd(options);
  assert.equal(first.adopted, false);
  const second = await startContainerd(options);
  assert.equal(second.adopted, true);
  assert.equal(second.pid, first.pid);
  await second.stop();
  await second.stop();
  assert.equal(await readProcess(first.pid), undefined);
  await assert.rejects(access(join(options.runDirectory, 'containerd')));
  assert.equal(mountsBelow(await readMounts(), options.dataDirectory).length, 0);
});

test(
  'another configuration restarts it; a process of the same number is not taken for it',
  needsContainerd,
  async (context) => {
    const options = await places(context);
    const first = await startContainerd(options);
    const second = await startContainerd({ ...options, sandboxImage: 'stead.dev/other:1' });
    assert.equal(second.adopted, false);
    assert.equal(await readProcess(first.pid), undefined);
    const pidFile = join(options.runDirectory, 'containerd', 'containerd.pid');
    await second.stop();
    const third = await startContainerd(options);
    await writeFile(pidFile, `${process.pid}\n`);
    await third.stop();
    assert.ok(await readProcess(third.pid), 'what the pid file does not name is not touched');
    await writeFile(pidFile, `${third.pid}\n`).catch(() => process.kill(third.pid, 'SIGTERM'));
  },
);

test('the pause image is loaded once, runs, reaps, and ends on TERM', needsContainerd, async (context) => {
  const options = await places(context);
  const containerd = await startContainerd(options);
  const { socket } = containerd;
  await ensurePauseImage(socket);
  await ensurePauseImage(socket);
  const ctr = (...args: string[]): Promise<string> =>
    runCommand('ctr', ['--address', socket, '--namespace', 'k8s.io', ...args]);
  await ctr('run', ...ownPlaces(options), '--detach', PAUSE_IMAGE, 'pause-test');
  const pid = Number(/(\d+)\s+RUNNING/.exec(await ctr('tasks', 'list'))?.[1]);
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  assert.match(status, /SigIgn:\s*0000000000010000/);
  assert.equal(shimsOf(await listProcesses(), socket).length, 1);
  // A container goes on without containerd, and is there when it comes back.
  await containerd.stop();
  assert.ok(await readProcess(pid));
  const again = await startContainerd(options);
  assert.match(await ctr('tasks', 'list'), new RegExp(`${pid}\\s+RUNNING`));
  await ctr('tasks', 'kill', '--signal', 'SIGTERM', 'pause-test');
  await until('pause to end', async () => /STOPPED/.test(await ctr('tasks', 'list')));
  await ctr('tasks', 'delete', 'pause-test');
  await ctr('containers', 'delete', 'pause-test');
  await until('the shim to end', async () => shimsOf(await listProcesses(), socket).length === 0);
  await again.stop();
  await assert.rejects(access(join(options.runDirectory, 'containerd')));
});

test(
  'a containerd that was killed is started again, and its pods go on',
  needsContainerd,
  async (context) => {
    const options = await places(context);
    const containerd = await startContainerd(options);
    const end = new AbortController();
    const kept = containerd.keepRunning(end.signal);
    const before = containerd.pid;
    process.kill(before, 'SIGKILL');
    await until('another containerd', async () => containerd.pid !== before);
    await ensurePauseImage(containerd.socket);
    end.abort();
    await kept;
    await containerd.stop();
    assert.equal(await readProcess(containerd.pid), undefined);
  },
);

test('shims are ended with their containers when nothing else helps', needsContainerd, async (context) => {
  const options = await places(context);
  const { socket, stop } = await startContainerd(options);
  await ensurePauseImage(socket);
  const run = ['run', ...ownPlaces(options), '--detach', PAUSE_IMAGE, 'stuck'];
  await runCommand('ctr', ['--address', socket, '-n', 'k8s.io', ...run]);
  await stop();
  assert.equal(shimsOf(await listProcesses(), socket).length, 1);
  await endContainerd(options);
  await endContainerd(options);
  assert.equal(shimsOf(await listProcesses(), socket).length, 0);
  await assert.rejects(access(join(options.runDirectory, 'containerd')));
  assert.equal(mountsBelow(await readMounts(), options.dataDirectory).length, 0);
});

test(
  'images are loaded from files, and what cannot be is refused in one sentence',
  needsContainerd,
  async (context) => {
    const options = await places(context);
    const { socket, stop } = await startContainerd(options);
    const file = join(options.dataDirectory, 'image.tar');
    const { signal } = new AbortController();
    await writeFile(file, pauseImageArchive(process.arch === 'arm64' ? 'arm64' : 'x64'));
    assert.deepEqual(await loadImage(socket, file, signal), [PAUSE_IMAGE]);
    await runCommand('gzip', ['-k', file]);
    assert.deepEqual(await loadImage(socket, `${file}.gz`, signal), [PAUSE_IMAGE]);
    await assert.rejects(
      loadImage(socket, join(options.dataDirectory, 'none.tar'), signal),
      /none\.tar: there is no such file$/,
    );
    await writeFile(file, 'x'.repeat(2000));
    await assert.rejects(loadImage(socket, file, signal), /image\.tar: it is not a tar archive$/);
    await stop();
    await writeFile(file, pauseImageArchive('x64'));
    await assert.rejects(loadImage(socket, file, signal), /cannot load images from .*connect/);
  },
);

test('a containerd that cannot start says why', needsContainerd, async (context) => {
  const options = await places(context);
  const long = { ...options, runDirectory: join(options.runDirectory, 'x'.repeat(120)) };
  await assert.rejects(
    startContainerd(long),
    /containerd did not start: .*its last words: .*(socket|path|invalid)/i,
  );
});

test('the configuration keeps to its own places', () => {
  const text = containerdConfig({
    rootDirectory: '/data/containerd',
    stateDirectory: '/run/x/state',
    socket: '/run/x/containerd.sock',
    sandboxImage: 'stead.dev/pause:1',
    runcPath: '/usr/sbin/runc',
    cniBinDirectory: '/usr/lib/cni',
    cniConfDirectory: '/data/"cni"',
    registryDirectory: '/data/registry/certs.d',
    mayLowerOomScore: false,
  });
  assert.match(text, /^version = 2$/m);
  assert.match(text, /restrict_oom_score_adj = true/);
  assert.match(text, /conf_dir = "\/data\/\\"cni\\""/);
  assert.doesNotMatch(text, /\/var\/|\/opt\/containerd/);
});

test('the capability to lower oom_score_adj is read from the process’s status', () => {
  assert.equal(mayLowerOomScore('Name:\tnode\nCapEff:\t000001fffeffffff\n'), false);
  assert.equal(mayLowerOomScore('Name:\tnode\nCapEff:\t000001ffffffffff\n'), true);
  assert.equal(mayLowerOomScore(''), false);
});
