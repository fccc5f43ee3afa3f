// Looking into pods that run, and changing what they have, with kubectl on real containers: debug, resize, proxy, cp,
// attach, terminals, logs of several containers.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run } from '../kit/run.ts';
import { eventually, noContainers, TestStead } from '../kit/stead.ts';

const TOOLBOX = 'stead.dev/toolbox:1';
const NAMESPACE = '/api/v1/namespaces/default';

const MANIFEST = `
apiVersion: v1
kind: Service
metadata: { name: nginx }
spec: { clusterIP: None, selector: { app: nginx }, ports: [{ name: web, port: 80 }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: web }
spec:
  serviceName: nginx
  selector: { matchLabels: { app: nginx } }
  template:
    metadata: { labels: { app: nginx } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: nginx
          image: k8s.gcr.io/nginx-slim:0.8
          ports: [{ containerPort: 80, name: web }]
          resources: { requests: { cpu: 100m, memory: 32Mi }, limits: { cpu: 500m, memory: 64Mi } }
---
apiVersion: v1
kind: Service
metadata: { name: nobody }
spec: { selector: { app: nobody }, ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: two, labels: { app: two } }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: shell
      image: ${TOOLBOX}
      stdin: true
      tty: true
      command: [sh]
    - name: counter
      image: ${TOOLBOX}
      command: [sh, -c, "i=0; while true; do i=$((i+1)); echo line $i; sleep 0.2; done"]
`;

describe('inside pods', { skip: noContainers }, () => {
  let stead: TestStead;

  before(async () => {
    stead = await TestStead.start('nginx-slim', 'toolbox');
    await stead.apply(MANIFEST);
    await stead.ready('web', 1);
    await stead.kubectl('wait', '--for=condition=Ready', 'pod/two', '--timeout=60s');
  });
  after(() => stead?.purge());

  /** kubectl on a terminal of that size, typing `input` once it shows `prompt`; gives what the terminal showed. */
  function onTerminal(
    command: string,
    input: string,
    prompt: string,
    rows = 44,
    columns = 132,
  ): Promise<string> {
    const line = `stty rows ${rows} cols ${columns}; kubectl ${command}`;
    const child = spawn('script', ['-qec', line, '/dev/null'], {
      env: { ...process.env, KUBECONFIG: stead.kubeconfig },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    return new Promise((resolve) => {
      let shown = '';
      let typed = false;
      child.stdout.on('data', (chunk: Buffer) => {
        shown += chunk;
        if (typed || !shown.includes(prompt)) return;
        typed = true;
        child.stdin.write(input);
      });
      child.once('close', () => resolve(shown));
    });
  }

  /** What the kernel limits a container to: bytes, and microseconds of each 100 ms. */
  function limitsOf(id: string): { memory: string; quota: string } {
    const read = (root: string, file: string): string => {
      const found = readdirSync(root, { recursive: true, encoding: 'utf8' }).find((path) =>
        path.endsWith(id),
      );
      assert.ok(found, `${id} below ${root}`);
      return readFileSync(join(root, found, file), 'utf8').trim();
    };
    const root = '/sys/fs/cgroup';
    if (existsSync(join(root, 'cgroup.controllers'))) {
      const [quota = ''] = read(join(root, 'stead'), 'cpu.max').split(' ');
      return { memory: read(join(root, 'stead'), 'memory.max'), quota };
    }
    const memory = read(join(root, 'memory', 'stead'), 'memory.limit_in_bytes');
    return { memory, quota: read(join(root, 'cpu', 'stead'), 'cpu.cfs_quota_us') };
  }

  const containerId = async (): Promise<string> =>
    (await stead.field('pod/web-0', '.status.containerStatuses[0].containerID')).replace('containerd://', '');
  const resize = (resources: object) => {
    const patch = { spec: { containers: [{ name: 'nginx', resources }] } };
    return stead.tryKubectl([
      'patch',
      'pod',
      'web-0',
      '--subresource',
      'resize',
      '-p',
      JSON.stringify(patch),
    ]);
  };
  const condition = (type: string, field: string): Promise<string> =>
    stead.field('pod/web-0', `.status.conditions[?(@.type=="${type}")].${field}`);

  it('debugs a pod that runs: with its processes, on a terminal, and the pod runs on', async () => {
    const before = await containerId();
    const debug = `debug -it web-0 --image=${TOOLBOX} --target=nginx -c look --profile=general -- sh`;
    const shown = await onTerminal(debug, 'ps; hostname; echo done; exit 3\n', '/ # ');
    assert.match(shown, /1 root +nginx: master process/);
    assert.match(shown, /^web-0\r?$/m);
    const look = '.status.ephemeralContainerStatuses[?(@.name=="look")]';
    await eventually(
      'it has ended',
      () => stead.field('pod/web-0', `${look}.state.terminated.exitCode`),
      (code) => code === '3',
    );
    assert.match(await stead.kubectl('logs', 'web-0', '-c', 'look'), /nginx: master process/);
    assert.match(await stead.kubectl('describe', 'pod', 'web-0'), /Ephemeral Containers:\n +look:/);
    assert.equal(await containerId(), before);
    assert.equal(await condition('Ready', 'status'), 'True');
    assert.equal(await stead.field('pod/web-0', `${look}.restartCount`), '0');
  });

  it('debugs privileged, and executes in what debugs', async () => {
    const debug = [
      'debug',
      'web-0',
      `--image=${TOOLBOX}`,
      '--target=nginx',
      '-c',
      'admin',
      '--profile=sysadmin',
    ];
    await stead.kubectl(...debug, '--', 'sleep', '600');
    const running = '.status.ephemeralContainerStatuses[?(@.name=="admin")].state.running.startedAt';
    await eventually('it runs', () => stead.field('pod/web-0', running), Boolean);
    const listed = await stead.kubectl('exec', 'web-0', '-c', 'admin', '--', 'ls', '/proc/1/root/etc/nginx');
    assert.match(listed, /nginx\.conf/);
  });

  it('debugs the node itself, from a pod that sees all of it', async () => {
    const node = await stead.field('pod/web-0', '.spec.nodeName');
    const look = ['ls', '/host/etc/passwd'];
    await stead.kubectl('debug', `node/${node}`, `--image=${TOOLBOX}`, '--profile=general', '--', ...look);
    const names = await stead.kubectl('get', 'pods', '-o', 'name');
    const pod = names.split('\n').find((name) => name.startsWith('pod/node-debugger-')) ?? '';
    await eventually(
      'it has looked',
      () => stead.field(pod, '.status.phase'),
      (phase) => phase === 'Succeeded',
    );
    assert.equal(await stead.kubectl('logs', pod), '/host/etc/passwd\n');
    await stead.kubectl('delete', pod);
  });

  it('says what is wrong with a container to debug with', async () => {
    const { code, stderr } = await stead.tryKubectl([
      'debug',
      'web-0',
      `--image=${TOOLBOX}`,
      '--target=nobody',
      '-c',
      'x',
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /targetContainerName: Not found: "nobody"/);
  });

  it('gives a container other resources while it runs', async () => {
    const id = await containerId();
    assert.deepEqual(limitsOf(id), { memory: `${64 * 1024 ** 2}`, quota: '50000' });
    const { code, stderr } = await resize({
      requests: { cpu: '200m' },
      limits: { cpu: '1', memory: '96Mi' },
    });
    assert.equal(code, 0, stderr);
    await eventually(
      'it is resized',
      () => stead.field('pod/web-0', '.status.containerStatuses[0].resources.limits.memory'),
      (limit) => limit === '96Mi',
    );
    assert.equal(await containerId(), id);
    assert.equal(await stead.field('pod/web-0', '.status.containerStatuses[0].restartCount'), '0');
    assert.deepEqual(limitsOf(id), { memory: `${96 * 1024 ** 2}`, quota: '100000' });
    await eventually(
      'nothing is in progress',
      () => condition('PodResizeInProgress', 'status'),
      (status) => !status,
    );
  });

  it('says what a node cannot give, and what the kernel does not take', async () => {
    assert.equal((await resize({ requests: { cpu: '900' }, limits: { cpu: '901' } })).code, 0);
    await eventually(
      'it is infeasible',
      () => condition('PodResizePending', 'reason'),
      (why) => why === 'Infeasible',
    );
    assert.match(await condition('PodResizePending', 'message'), /enough capacity: cpu, requested: 900000/);
    assert.equal((await resize({ requests: { cpu: '200m' }, limits: { cpu: '1' } })).code, 0);
    await eventually(
      'it is taken back',
      () => condition('PodResizePending', 'reason'),
      (why) => why === '',
    );
    const tiny = { requests: { memory: '256Ki' }, limits: { memory: '256Ki' } };
    assert.equal((await resize(tiny)).code, 0);
    await eventually(
      'it fails',
      () => condition('PodResizeInProgress', 'reason'),
      (why) => why === 'Error',
    );
    assert.equal((await resize({ requests: { memory: '32Mi' }, limits: { memory: '96Mi' } })).code, 0);
    await eventually(
      'it is over',
      () => condition('PodResizeInProgress', 'status'),
      (status) => !status,
    );
    const { code, stderr } = await resize({ limits: { memory: null } });
    assert.deepEqual([code, /resource limits cannot be removed/.test(stderr)], [1, true]);
  });

  it('proxies to pods and services', async () => {
    const raw = (path: string) => stead.tryKubectl(['get', '--raw', `${NAMESPACE}/${path}`]);
    for (const path of [
      'pods/web-0:80/proxy/',
      'pods/http:web-0:web/proxy/index.html',
      'services/nginx:web/proxy/',
    ]) {
      assert.match((await raw(path)).stdout, /Welcome to nginx/, path);
    }
    assert.match(
      (await raw('pods/web-0:81/proxy/')).stderr,
      /error trying to reach service: .*connection refused/,
    );
    assert.match((await raw('services/nobody/proxy/')).stderr, /no endpoints available for service "nobody"/);
    const proxy = spawn('kubectl', ['proxy', '--port=0'], {
      env: { ...process.env, KUBECONFIG: stead.kubeconfig },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const address = await new Promise<string>((resolve) => {
        proxy.stdout.once('data', (line: Buffer) =>
          resolve(/127\.0\.0\.1:\d+/.exec(line.toString())?.[0] ?? ''),
        );
      });
      const bare = await run('curl', [
        '-s',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code} %{redirect_url}',
        `http://${address}${NAMESPACE}/pods/web-0/proxy`,
      ]);
      assert.equal(bare.stdout, `301 http://${address}${NAMESPACE}/pods/web-0/proxy/`);
      const page = await run('curl', ['-sL', `http://${address}${NAMESPACE}/pods/web-0/proxy`]);
      assert.match(page.stdout, /Welcome to nginx/);
    } finally {
      proxy.kill();
    }
  });

  it('copies files in and out', async () => {
    const directory = join(stead.dataDirectory, 'copied');
    mkdirSync(join(directory, 'in'), { recursive: true });
    const blob = Buffer.alloc(3_000_000, 'a pattern that is not a power of two');
    writeFileSync(join(directory, 'in', 'blob'), blob);
    await stead.kubectl('cp', join(directory, 'in'), 'two:/tmp/in', '-c', 'counter');
    await stead.kubectl('cp', 'two:/tmp/in', join(directory, 'out'), '-c', 'counter');
    assert.ok(readFileSync(join(directory, 'out', 'blob')).equals(blob));
    rmSync(directory, { recursive: true });
  });

  it('attaches to a shell, and executes one on a terminal of the client’s size', async () => {
    const attached = await onTerminal(
      'attach -it two -c shell',
      'echo $((6*7))\nexit\n',
      'command prompt, try pressing enter',
    );
    assert.match(attached, /^42\r?$/m);
    const executed = await onTerminal(
      'exec -it two -c counter -- sh',
      'stty size; exit 7\n',
      '/ # ',
      44,
      132,
    );
    assert.match(executed, /^44 132\r?$/m);
    assert.match(executed, /command terminated with exit code 7/);
  });

  it('shows the logs of several containers, by time, with their names', async () => {
    await eventually(
      'it counts',
      () => stead.kubectl('logs', 'two', '-c', 'counter'),
      (text) => text.includes('line 20\n'),
    );
    const labelled = await stead.kubectl('logs', '--all-containers', '--prefix', '-l', 'app=two', '--tail=2');
    assert.match(labelled, /^\[pod\/two\/counter\] line \d+$/m);
    assert.match(labelled, /^\[pod\/two\/shell\] /m);
    const stamped = await stead.kubectl('logs', 'two', '-c', 'counter', '--timestamps', '--tail=-1');
    const [, second = ''] = stamped
      .split('\n')
      .filter((line) => line.endsWith(' line 10') || line.endsWith(' line 15'));
    const since = second.split(' ')[0] ?? '';
    const later = await stead.kubectl(
      'logs',
      'two',
      '-c',
      'counter',
      '--timestamps',
      `--since-time=${since}`,
    );
    const [first = ''] = later.split('\n');
    // A time in the query has whole seconds.
    assert.ok(
      Date.parse(first.split(' ')[0] ?? '') >= Math.floor(Date.parse(since) / 1000) * 1000,
      `${first} since ${since}`,
    );
    assert.ok(!later.includes(' line 1\n'));
    assert.equal((await stead.kubectl('logs', 'two', '-c', 'counter', '--limit-bytes=6')).length, 6);
  });

  it('says that there are no metrics', async () => {
    const { code, stderr } = await stead.tryKubectl(['top', 'pods']);
    assert.deepEqual([code, stderr.trim()], [1, 'error: Metrics API not available']);
  });

  it('keeps what was put into a pod and given to it when stead starts again', async () => {
    const id = await containerId();
    stead.kill();
    await eventually(
      'it is gone',
      async () => isAlive(stead.pid),
      (alive) => !alive,
    );
    await stead.up();
    await stead.kubectl('wait', '--for=condition=Ready', 'pod/web-0', '--timeout=60s');
    assert.equal(await containerId(), id);
    assert.match(await stead.kubectl('exec', 'web-0', '-c', 'admin', '--', 'ps'), /nginx: master process/);
    assert.equal(
      await stead.field('pod/web-0', '.status.containerStatuses[0].resources.limits.memory'),
      '96Mi',
    );
    assert.equal((await resize({ limits: { memory: '112Mi' } })).code, 0);
    await eventually(
      'it is resized',
      async () => limitsOf(id).memory,
      (limit) => limit === `${112 * 1024 ** 2}`,
    );
  });

  it('says why a connection to a port cannot be had', async () => {
    const forward = spawn('kubectl', ['port-forward', 'pod/web-0', ':81'], {
      env: { ...process.env, KUBECONFIG: stead.kubeconfig },
    });
    try {
      let complaint = '';
      forward.stderr.on('data', (chunk: Buffer) => {
        complaint += chunk;
      });
      const line = await new Promise<Buffer>((resolve) => forward.stdout.once('data', resolve));
      const port = /127\.0\.0\.1:(\d+)/.exec(line.toString())?.[1];
      assert.notEqual((await run('curl', ['-s', `http://127.0.0.1:${port}/`])).code, 0);
      await eventually(
        'kubectl says why',
        async () => complaint,
        (text) => text.includes('forwarding port 81'),
      );
    } finally {
      forward.kill();
    }
  });

  it('ends a forwarded port with its pod', async () => {
    const forward = spawn('kubectl', ['port-forward', 'pod/web-0', ':80'], {
      env: { ...process.env, KUBECONFIG: stead.kubeconfig },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const ended = new Promise((resolve) => forward.once('close', resolve));
      await new Promise((resolve) => forward.stdout.once('data', resolve));
      await stead.kubectl('delete', 'pod', 'web-0');
      await ended;
    } finally {
      forward.kill();
    }
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
