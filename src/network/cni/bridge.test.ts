import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { hasPods, removeBridge, setUpBridge } from './bridge.ts';
import { cniConfig, writeCniConfig } from './config.ts';
import { readMachineNetwork } from './machine-network.ts';
import { bench, needsNetwork, run, tcp } from './test-bench.ts';
import { isOwnNetwork } from './test-own-network.ts';

/** Of the range for documentation: nobody's. */
const REFUSED = '198.51.100.7/32';

if (isOwnNetwork(import.meta.filename, needsNetwork)) {
  test(
    'pods reach the gateway and each other; afterwards no interface, rule or lease is left',
    needsNetwork,
    async (context) => {
      const { network, addPod, deletePod, inPod, endNamespace, leaseDirectory } = await bench(context);
      const options = { owner: 'stead /run/stead/test', refused: [{ cidr: REFUSED, onHost: true }] };
      await setUpBridge(run, network, options);
      await setUpBridge(run, network, options);
      const made = (await readMachineNetwork(run)).interfaces.find(({ name }) => name === network.bridge);
      assert.equal(made?.alias, options.owner);
      // A server binds to the gateway before there is any pod.
      const server = createServer((socket) => socket.end('hello\n'));
      await new Promise<void>((resolve) => server.listen(0, network.gateway, resolve));
      context.after(() => server.close());
      const address = server.address();
      assert.ok(address && typeof address === 'object');
      const [one, two] = [`${network.bridge}-1`, `${network.bridge}-2`];
      const [first = ''] = await addPod(one);
      const [second = ''] = await addPod(two, tcp(45_871));
      assert.notEqual(first, second);
      const read = `exec 3<>/dev/tcp/${network.gateway}/${address.port}; cat <&3`;
      assert.equal(await inPod(one, 'bash', '-c', read), 'hello\n');
      assert.match(await inPod(one, 'ip', 'route'), new RegExp(`default via ${network.gateway}`));
      // Nobody listens there: the other pod's kernel refuses, so it was reached.
      await assert.rejects(inPod(one, 'bash', '-c', `exec 3<>/dev/tcp/${second}/81`), /Connection refused/);
      // What nobody answers for never gets as far as the default route.
      const connect = `exec 3<>/dev/tcp/${REFUSED.split('/')[0]}/80`;
      await assert.rejects(inPod(one, 'bash', '-c', connect), /Connection refused/);
      await assert.rejects(run('bash', ['-c', connect]), /Connection refused/);
      assert.equal(await hasPods(run, network), true);
      await deletePod(one);
      // The second pod is not taken down in order.
      await endNamespace(two);
      await removeBridge(run, network);
      await removeBridge(run, network);
      // Another stead may run on this machine: only what is ours must be gone.
      const rules =
        (await run('iptables', ['-w', '-S'])) + (await run('iptables', ['-w', '-t', 'nat', '-S']));
      for (const trace of [network.bridge, network.cidr, first, second])
        assert.ok(!rules.includes(trace), rules);
      assert.ok(!(await readMachineNetwork(run)).interfaces.some(({ name }) => name === network.bridge));
      await rm(leaseDirectory, { recursive: true });
    },
  );

  test(
    'a neighbour of the machine does not reach what listens on the gateway; pods and the machine do',
    needsNetwork,
    async (context) => {
      const { network, addNeighbour, addPod, inPod } = await bench(context);
      await setUpBridge(run, network, { owner: 'stead /run/stead/test' });
      const server = createServer((socket) => socket.end('hello\n'));
      await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
      context.after(() => server.close());
      const address = server.address();
      assert.ok(address && typeof address === 'object');
      const read = (host: string) => `exec 3<>/dev/tcp/${host}/${address.port}; cat <&3`;
      const neighbour = await addNeighbour(network.cidr);
      await addPod('one');
      assert.equal(await inPod('one', 'bash', '-c', read(network.gateway)), 'hello\n');
      assert.equal(await run('bash', ['-c', read(network.gateway)]), 'hello\n');
      // It is a neighbour: what listens everywhere it reaches.
      assert.equal(await neighbour('bash', '-c', read('203.0.113.1')), 'hello\n');
      await assert.rejects(neighbour('bash', '-c', read(network.gateway)), /Connection refused/);
    },
  );

  test(
    'the bridge keeps its hardware address whatever comes and goes: pods need not find it anew',
    needsNetwork,
    async (context) => {
      const { network, addPod, deletePod } = await bench(context);
      const options = { owner: 'stead /run/stead/test' };
      const address = async (): Promise<string> =>
        (await readFile(`/sys/class/net/${network.bridge}/address`, 'utf8')).trim();
      await setUpBridge(run, network, options);
      const first = await address();
      // A port with an address lower than any other's: the one that a bridge without its own would take.
      const port = `${network.bridge}p`;
      const peer = ['peer', 'name', `${port}q`];
      await run('ip', ['link', 'add', port, 'address', '02:00:00:00:00:01', 'type', 'veth', ...peer]);
      context.after(() => run('ip', ['link', 'delete', port]).catch(() => {}));
      await run('ip', ['link', 'set', port, 'master', network.bridge, 'up']);
      await addPod('one');
      assert.equal(await address(), first);
      await setUpBridge(run, network, options);
      await run('ip', ['link', 'delete', port]);
      await deletePod('one');
      assert.equal(await address(), first);
    },
  );
}

test('the configuration file is the only one in its directory', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'stead-cni-'));
  context.after(() => rm(directory, { recursive: true }));
  const network = { bridge: 'stead0', cidr: '10.244.0.0/20', gateway: '10.244.0.1' };
  const places = { confDirectory: join(directory, 'net.d'), leaseDirectory: '/leases' };
  await writeCniConfig(network, places);
  await writeCniConfig(network, places);
  assert.equal(
    await readFile(join(directory, 'net.d', 'stead.conflist'), 'utf8'),
    cniConfig(network, '/leases'),
  );
});
