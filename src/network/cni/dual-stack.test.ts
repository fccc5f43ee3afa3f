// Pods with addresses of both families, by the real plugins, on a machine that is a network namespace: what is tried here changes
// settings of the whole machine.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import test, { type TestContext } from 'node:test';
import { hasPods, removeBridge, setUpBridge } from './bridge.ts';
import { bench, needsNetwork, type PortMapping, run, tcp } from './test-bench.ts';
import { isOwnNetwork } from './test-own-network.ts';

const RANGE = { cidr: 'fd12:3456:789a::/64', gateway: 'fd12:3456:789a::1' };
const OPTIONS = { owner: 'stead /run/stead/test' };
const UPLINK = '2001:db8:5::5';

/** Says to everybody from where it was asked. */
const SERVER = `
require('node:net').createServer((socket) => socket.end(socket.remoteAddress.replace('::ffff:', '') + '\\n'))
  .listen(80, '::', () => console.log('up'));
setTimeout(() => process.exit(), 60_000);
`;

const conf = async (name: string, setting: string): Promise<string> =>
  (await readFile(`/proc/sys/net/ipv6/conf/${name}/${setting}`, 'utf8')).trim();

const asked = (host: string, port: number): string => `exec 3<>/dev/tcp/${host}/${port}; cat <&3`;

/** An interface that leads to another machine, which has the first address of the range. */
async function addUplink(context: TestContext): Promise<string> {
  const child = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up && echo up && exec sleep 600']);
  context.after(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const pid = `${child.pid}`;
  const there = (...args: string[]): Promise<string> => run('nsenter', ['-t', pid, '-n', ...args]);
  await run('ip', ['link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pid]);
  await run('ip', ['address', 'add', `${UPLINK}/64`, 'dev', 'up0', 'nodad']);
  await run('ip', ['link', 'set', 'up0', 'up']);
  await there('ip', 'address', 'add', '2001:db8:5::1/64', 'dev', 'eth0', 'nodad');
  await there('ip', 'link', 'set', 'eth0', 'up');
  await run('ip', ['-6', 'route', 'add', 'default', 'via', '2001:db8:5::1']);
  return pid;
}

/** A program in a namespace that answers on port 80. */
async function serve(context: TestContext, pid: string): Promise<void> {
  const child = spawn('nsenter', ['-t', pid, '-n', process.execPath, '-e', SERVER]);
  context.after(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
}

if (isOwnNetwork(import.meta.filename, needsNetwork)) {
  test('who listened to routers does so still, and the bridge never', async (context) => {
    const { network } = await bench(context, RANGE);
    await addUplink(context);
    await run('ip', ['link', 'add', 'deaf', 'type', 'veth', 'peer', 'name', 'deaf1']);
    context.after(() => run('ip', ['link', 'delete', 'deaf']));
    await writeFile('/proc/sys/net/ipv6/conf/deaf/accept_ra', '0');
    await writeFile('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1');
    context.after(() => writeFile('/proc/sys/net/ipv6/conf/default/disable_ipv6', '0'));
    await setUpBridge(run, network, OPTIONS);
    await setUpBridge(run, network, OPTIONS);
    assert.deepEqual(
      [
        await conf('up0', 'accept_ra'),
        await conf('deaf', 'accept_ra'),
        await conf(network.bridge, 'accept_ra'),
      ],
      ['2', '0', '0'],
    );
    assert.equal(await conf('all', 'forwarding'), '1');
    const addresses = await run('ip', ['-6', 'address', 'show', 'dev', network.bridge]);
    assert.ok(addresses.includes(`${RANGE.gateway}/64`), addresses);
  });

  test('pods reach each other, the gateway and the world by IPv6; nothing of it is left', async (context) => {
    const { network, addPod, deletePod, inPod, pidOf } = await bench(context, RANGE);
    const uplink = await addUplink(context);
    await setUpBridge(run, network, OPTIONS);
    const server = createServer((socket) => socket.end('hello\n'));
    await new Promise<void>((resolve) => server.listen(81, '::', resolve));
    context.after(() => server.close());
    const [, first = ''] = await addPod('one');
    const [, second = ''] = await addPod('two');
    assert.deepEqual([first, second], ['fd12:3456:789a::2', 'fd12:3456:789a::3']);
    await serve(context, uplink);
    await serve(context, pidOf('two'));
    const ask = async (host: string, port: number): Promise<string> =>
      (await inPod('one', 'bash', '-c', asked(host, port))).trim();
    assert.equal(await ask(RANGE.gateway, 81), 'hello');
    assert.equal(await ask(second, 80), first);
    assert.equal(await ask('2001:db8:5::1', 80), UPLINK, 'the world sees the machine');
    // A neighbour of the machine reaches what is everybody's, and nothing that is there for pods.
    await run('nsenter', ['-t', uplink, '-n', 'ip', '-6', 'route', 'add', RANGE.cidr, 'via', UPLINK]);
    const outside = (host: string): Promise<string> =>
      run('nsenter', ['-t', uplink, '-n', 'bash', '-c', asked(host, 81)]);
    assert.equal(await outside(UPLINK), 'hello\n');
    await assert.rejects(outside(RANGE.gateway), /Connection refused/);
    await deletePod('one');
    assert.equal(await hasPods(run, network), true);
    await removeBridge(run, network);
    await removeBridge(run, network);
    for (const table of ['filter', 'nat']) {
      const rules = await run('ip6tables', ['-w', '-t', table, '-S']);
      assert.ok(!rules.includes('-A') && !rules.includes('-N'), rules);
    }
  });

  test('a port of the machine leads to its pod, by both families; nothing of it is left', async (context) => {
    const { network, addPod, endNamespace, pidOf } = await bench(context, RANGE);
    await addUplink(context);
    await setUpBridge(run, network, OPTIONS);
    const udp: PortMapping = { hostPort: 9053, containerPort: 53, protocol: 'udp' };
    const sctp: PortMapping = { hostPort: 9054, containerPort: 54, protocol: 'sctp' };
    const bound: PortMapping = { hostPort: 9055, containerPort: 80, protocol: 'tcp', hostIP: UPLINK };
    await addPod('one', tcp(9080), udp, sctp, bound);
    await serve(context, pidOf('one'));
    await addPod('other');
    const other = (host: string, port: number): Promise<string> =>
      run('nsenter', ['-t', pidOf('other'), '-n', 'bash', '-c', asked(host, port)]);
    // From pod to pod by the machine: the answer has to come back the same way.
    assert.equal(await other(network.gateway, 9080), `${network.gateway}\n`);
    for (const [host, port] of [
      [UPLINK, 9080],
      [UPLINK, 9055],
    ] as const)
      assert.equal(await other(host, port), `${RANGE.gateway}\n`);
    await assert.rejects(other(network.gateway, 9055), /Connection refused/);
    const rules = await run('ip6tables', ['-w', '-t', 'nat', '-S']);
    for (const part of ['-p udp', '-p sctp', '--dport 9080']) assert.ok(rules.includes(part), rules);
    // The pods are lost without the plugins being told.
    await endNamespace('one');
    await endNamespace('other');
    await removeBridge(run, network);
    for (const program of ['iptables', 'ip6tables']) {
      const left = await run(program, ['-w', '-t', 'nat', '-S']);
      assert.ok(!/CNI|stead/i.test(left), left);
    }
  });
}
