// The process and its machine: one stead on a data directory whoever starts how many, and a machine that is renamed, rebooted
// and shared by other steads.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathsOf } from '../../src/cluster/disk/paths.ts';
import { cgroupRootOf } from '../../src/cluster/process/cgroup-root.ts';
import { cgroupMounts } from '../../src/node/cri/cgroups.ts';
import { run } from '../kit/run.ts';
import { eventually, NGINX_MANIFEST, noContainers, TestStead } from '../kit/stead.ts';

const CLI = join(import.meta.dirname, '..', '..', 'bin', 'stead.js');
const stead = (...args: string[]) => run(process.execPath, [CLI, ...args]);

describe('the process', () => {
  let directory: string;
  let simulated: string[];
  before(() => {
    directory = join(mkdtempSync(join(tmpdir(), 'stead-process-')), 'data');
    simulated = ['--data-dir', directory, '--port', '0', '--runtime', 'simulated'];
  });
  after(async () => {
    await stead('down', '--purge', '--data-dir', directory);
    rmSync(join(directory, '..'), { recursive: true, force: true });
  });
  const pid = async (): Promise<number> =>
    JSON.parse((await stead('status', '--data-dir', directory, '-o', 'json')).stdout).pid;

  it('is one on a data directory, however many are started at once', async () => {
    const started = await Promise.all(Array.from({ length: 4 }, () => stead('up', ...simulated)));
    assert.ok(started.some(({ code }) => code === 0));
    for (const { code, stderr } of started) {
      if (code !== 0) assert.match(stderr, /^stead: stead already runs on this data directory \(pid \d+/);
    }
    const running = await pid();
    const again = await stead('up', '--foreground', ...simulated);
    assert.match(again.stderr, new RegExp(`already runs on this data directory \\(pid ${running}, https:`));
    await stead('down', '--data-dir', directory);
  });

  it('logs from the level that it is told, in the background too', async () => {
    const file = join(directory, 'stead.log');
    for (const [level, told] of [
      ['debug', /DEBUG/],
      ['warn', /^$/],
    ] as const) {
      rmSync(file, { force: true });
      assert.equal((await stead('up', ...simulated, '--log-level', level)).code, 0);
      await stead('status', '--data-dir', directory);
      assert.match(readFileSync(file, 'utf8'), told);
      await stead('down', '--data-dir', directory);
    }
    const unknown = await stead('up', ...simulated, '--log-level', 'loud');
    assert.match(unknown.stderr, /Allowed choices are debug, info, warn, error/);
  });

  it('outlives the command that started it, even one that is interrupted', async () => {
    rmSync(join(directory, 'stead.log'), { force: true });
    const starting = spawn(process.execPath, [CLI, 'up', ...simulated], { stdio: 'ignore' });
    await eventually(
      'the background process is started',
      async () => existsSync(join(directory, 'stead.log')) && existsSync(pathsOf(directory).controlSocket),
      Boolean,
    );
    starting.kill('SIGINT');
    await once(starting, 'exit');
    await eventually(
      'it is up',
      () => stead('status', '--data-dir', directory),
      ({ code }) => code === 0,
    );
    await stead('why', 'sts/none', '--data-dir', directory);
    assert.doesNotMatch(readFileSync(join(directory, 'stead.log'), 'utf8'), /ERR_IPC/);
  });

  it('ends quietly when nobody reads what it says', async () => {
    const piped = `"${process.execPath}" "${CLI}" status --data-dir "${directory}" | true`;
    const { code, stderr } = await run('bash', ['-o', 'pipefail', '-c', piped]);
    assert.equal(stderr, '');
    assert.equal(code, 0);
  });
});

describe('the machine', { skip: noContainers }, () => {
  let one: TestStead;
  before(async () => {
    one = await TestStead.start('nginx-slim', 'toolbox');
    await one.kubectl('apply', '-f', NGINX_MANIFEST);
    await one.apply(`apiVersion: v1
kind: Service
metadata: {name: virtual}
spec: {selector: {app: nginx}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: tools}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: tools, image: "stead.dev/toolbox:1", command: [sleep, infinity]}]
`);
    await one.ready('web', 2);
    await one.kubectl('wait', '--for=condition=Ready', 'pod/tools', '--timeout=120s');
  });
  after(() => one?.purge());
  const network = (): { bridge: string; cidr: string; gateway: string } =>
    JSON.parse(readFileSync(join(one.dataDirectory, 'network.json'), 'utf8'));

  it('has the address of a Service answer, and refuses what no Service has at once, from pods and from itself', async () => {
    const ip = await one.field('service/virtual', '.spec.clusterIP');
    const connect = (port: number) => run('timeout', ['10', 'bash', '-c', `exec 3<>/dev/tcp/${ip}/${port}`]);
    const inPod = (port: number) =>
      one.tryKubectl(['exec', 'tools', '--', 'curl', '-sS', '--max-time', '10', `http://${ip}:${port}/`]);
    assert.equal((await connect(80)).stderr, '');
    assert.equal((await inPod(80)).code, 0);
    assert.match((await connect(81)).stderr, /refused|No route|unreachable/i);
    // 7: no connection; after a time without an answer it would be 28.
    assert.equal((await inPod(81)).code, 7);
    const status = JSON.parse(await one.must('status', '-o', 'json'));
    assert.match(status.services, /carried by nftables/);
    assert.ok(status.certificates.some(({ name }: { name: string }) => name === 'apiserver'));
  });

  it('is rid of what a killed process left', async () => {
    one.kill();
    const cgroup = join(cgroupRootOf(pathsOf(one.dataDirectory)), 'besteffort', 'pod-of-nobody');
    const places = cgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8')).map((mount) =>
      join(mount, cgroup),
    );
    const made = places.filter((place) => {
      try {
        mkdirSync(place, { recursive: true });
        return true;
      } catch {
        return false;
      }
    });
    assert.ok(made.length > 0);
    await one.up();
    assert.deepEqual(made.filter(existsSync), []);
    await one.ready('web', 2);
  });

  it('may be renamed, and have given its network to another stead: sets come back, and a purge spares the other', async () => {
    const node = await one.field('node', '.items[0].metadata.name');
    await one.must('down');
    const mine = network();
    // What another stead makes that comes up first after a reboot.
    const theirs = [
      `link add ${mine.bridge} type bridge`,
      `link set ${mine.bridge} alias "stead /run/stead/another"`,
      `address add ${mine.gateway}/20 dev ${mine.bridge}`,
    ];
    assert.equal((await run('ip', ['-batch', '-'], { input: theirs.join('\n') })).code, 0);
    try {
      const renamed = `hostname renamed && exec "${process.execPath}" "${CLI}" up --port 0 --data-dir "${one.dataDirectory}"`;
      const { code, stderr } = await run('unshare', ['--uts', 'sh', '-c', renamed]);
      assert.equal(code, 0, stderr);
      await one.ready('web', 2);
      assert.equal(await one.field('node', '.items[*].metadata.name'), node);
      assert.notEqual(network().bridge, mine.bridge);
      assert.notEqual(network().cidr, mine.cidr);
      assert.equal(await one.field('pod/web-0', '.status.phase'), 'Running');
      await one.purge();
      assert.equal((await run('ip', ['link', 'show', mine.bridge])).code, 0);
    } finally {
      await run('ip', ['link', 'delete', mine.bridge]);
    }
  });
});
