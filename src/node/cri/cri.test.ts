// The agent with real containers: containerd, runc, a bridge. Slow by nature: one node for all cases.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { get as httpGet } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { isReady } from '../../api/conditions.ts';
import type { Container } from '../../api/generated/types.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { cgroupMounts } from './cgroups.ts';
import { BUSYBOX, CGROUP_ROOT, startRealNode, whyNoContainers } from './real-node.test.ts';

const skip = await whyNoContainers();

const server: Container = {
  name: 'web',
  image: BUSYBOX,
  args: ['httpd', '-f', '-h', '/www', '-p', '80'],
  readinessProbe: { httpGet: { port: 80, path: '/' }, periodSeconds: 1 },
};
const shell = (script: string): Container => ({ name: 'app', image: BUSYBOX, args: ['sh', '-c', script] });

function fetchText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    httpGet(url, { agent: false }, (response) => resolve(text(response))).on('error', reject);
  });
}

test('real containers', { skip: skip ?? false, timeout: 120_000 }, async (context) => {
  const node = await startRealNode(context);
  let running = node.startAgent();
  const target = async (name: string, container: string) => {
    const { uid } = (await node.pod(name)).metadata;
    return { namespace: 'default', name, uid, container };
  };

  await context.test('a pod is ready soon after it was applied, with its names', async () => {
    const startedAt = performance.now();
    await node.createPod('web-0', {
      hostname: 'web-0',
      subdomain: 'nginx',
      containers: [server],
      hostAliases: [{ ip: '1.2.3.4', hostnames: ['four'] }],
    });
    await node.until('web-0 ready', async () => isReady(await node.pod('web-0')));
    context.diagnostic(`applied to Ready: ${Math.round(performance.now() - startedAt)} ms`);
    const { status } = await node.pod('web-0');
    assert.equal(await fetchText(`http://${status?.podIP}/`), 'hello\n');
    const id = (status?.containerStatuses?.[0]?.containerID ?? '').replace('containerd://', '');
    const output = async (script: string) =>
      (await node.runtime.execSync(id, ['/bin/busybox', 'sh', '-c', script], 5000)).output;
    assert.equal(await output('hostname'), 'web-0\n');
    const hosts = await output('cat /etc/hosts');
    assert.ok(hosts.includes(`${status?.podIP}\tweb-0.nginx.default.svc.cluster.local\tweb-0\n`), hosts);
    assert.ok(hosts.includes('1.2.3.4\tfour\n'));
    assert.match(
      await output('cat /etc/resolv.conf'),
      /search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local/,
    );
    assert.match(await output('cat /etc/resolv.conf'), /options ndots:5/);
  });

  await context.test('exec: output, exit code, input; time limits', async () => {
    const { agent } = running;
    const session = await agent.streams.exec(await target('web-0', 'web'), {
      command: ['/bin/busybox', 'sh', '-c', 'read line; echo "got $line"; echo oops >&2; exit 3'],
      stdin: true,
      stdout: true,
      stderr: true,
      tty: false,
    });
    session.stdin?.write('something\n');
    const [out, err, exit] = await Promise.all([
      text(session.stdout ?? Readable.from([])),
      text(session.stderr ?? Readable.from([])),
      session.exit,
    ]);
    assert.equal(out, 'got something\n');
    assert.equal(err, 'oops\n');
    assert.deepEqual(exit, { exitCode: 3 });
    const { uid } = (await node.pod('web-0')).metadata;
    const id = (await node.runtime.listContainers()).find((container) => container.podUid === uid)?.id ?? '';
    const late = await node.runtime.execSync(id, ['/bin/busybox', 'sleep', '30'], 1000);
    assert.equal(late.timedOut, true);
  });

  await context.test('port-forward reaches a port of the pod', async () => {
    const { uid } = (await node.pod('web-0')).metadata;
    const stream = await running.agent.streams.portForward({ namespace: 'default', name: 'web-0', uid }, 80);
    stream.write('GET / HTTP/1.0\r\n\r\n');
    assert.match(await text(stream), /^HTTP\/1\.[01] 200 OK[\s\S]*hello\n$/);
  });

  await context.test('logs: whole, tail, follow to the end, previous', async () => {
    const { agent } = running;
    await node.createPod('talker', {
      restartPolicy: 'Never',
      containers: [shell('echo one; echo two; sleep 0.3; echo three; exit 4')],
    });
    await node.until(
      'talker runs',
      async () => (await node.pod('talker')).status?.containerStatuses?.[0]?.state?.running !== undefined,
    );
    const options = { follow: true, previous: false, timestamps: false };
    const signal = new AbortController().signal;
    const to = await target('talker', 'app');
    assert.equal(await text(agent.streams.logs(to, options, signal)), 'one\ntwo\nthree\n');
    await node.until('talker failed', async () => (await node.pod('talker')).status?.phase === 'Failed');
    const status = (await node.pod('talker')).status?.containerStatuses?.[0];
    assert.equal(status?.state?.terminated?.exitCode, 4);
    assert.equal(status?.state?.terminated?.reason, 'Error');
    const tail = { ...options, follow: false, tailLines: 2 };
    assert.equal(await text(agent.streams.logs(to, tail, signal)), 'two\nthree\n');
  });

  await context.test('adopted after the agent was killed: same container, no restart', async () => {
    const before = (await node.pod('web-0')).status?.containerStatuses;
    await running.stop();
    running = node.startAgent();
    await node.createPod('web-1', { containers: [server] });
    await node.until('web-1 ready', async () => isReady(await node.pod('web-1')));
    assert.deepEqual((await node.pod('web-0')).status?.containerStatuses, before);
  });

  await context.test('an exit is seen at once, and the container restarted', async () => {
    const { uid } = (await node.pod('web-1')).metadata;
    const first = (await node.runtime.listContainers()).find((container) => container.podUid === uid);
    const killedAt = performance.now();
    await node.runtime.stopContainer(first?.id ?? '', 0);
    await node.until('web-1 restarted', async () => {
      const [status] = (await node.pod('web-1')).status?.containerStatuses ?? [];
      return status?.restartCount === 1 && status.ready;
    });
    context.diagnostic(`killed to Ready again: ${Math.round(performance.now() - killedAt)} ms`);
  });

  await context.test('last words become the termination message', async () => {
    await node.createPod('loud', {
      restartPolicy: 'Never',
      containers: [shell('echo -n bye > /dev/termination-log')],
    });
    await node.until('loud ended', async () => (await node.pod('loud')).status?.phase === 'Succeeded');
    const [status] = (await node.pod('loud')).status?.containerStatuses ?? [];
    assert.equal(status?.state?.terminated?.message, 'bye');
  });

  await context.test('deleted pods go gracefully and leave nothing', async () => {
    await node.createPod('graceful', {
      terminationGracePeriodSeconds: 20,
      containers: [
        {
          ...shell('trap "echo bye; exit 0" TERM; while true; do sleep 0.05; done'),
          lifecycle: {
            preStop: { exec: { command: ['/bin/busybox', 'sh', '-c', 'echo stopping > /proc/1/fd/1'] } },
          },
        },
      ],
    });
    await node.until('graceful ready', async () => isReady(await node.pod('graceful')));
    const signal = new AbortController().signal;
    const options = { follow: true, previous: false, timestamps: false };
    const log = text(running.agent.streams.logs(await target('graceful', 'app'), options, signal));
    const all = (await node.client.list(pods, { namespace: 'default' })).items;
    const deletedAt = performance.now();
    for (const { metadata } of all) {
      await node.client.delete(pods, { namespace: 'default', name: metadata.name });
    }
    await node.until('all gone', async () => (await node.client.list(pods)).items.length === 0);
    context.diagnostic(
      `deleted to gone: ${Math.round(performance.now() - deletedAt)} ms for ${all.length} pods`,
    );
    assert.equal(await log, 'stopping\nbye\n');
    assert.deepEqual(await node.runtime.listSandboxes(), []);
    const uids = all.map((pod) => pod.metadata.uid);
    for (const mount of cgroupMounts(await readFile('/proc/self/mountinfo', 'utf8'))) {
      for (const qos of ['besteffort', 'burstable']) {
        const left = await readdir(`${mount}${CGROUP_ROOT}/${qos}`).catch(() => []);
        assert.deepEqual(
          left.filter((name) => uids.some((uid) => name.includes(uid))),
          [],
        );
      }
    }
    assert.deepEqual(await readdir(node.logDirectory), []);
  });
});
