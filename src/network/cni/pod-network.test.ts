import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { cniConfig } from './config.ts';
import { portmapLeftovers } from './firewall.ts';
import { choosePodNetwork } from './pod-network.ts';

test('the first choice, and the next when something is in the way', () => {
  assert.deepEqual(
    choosePodNetwork({ ranges: ['192.0.2.2/24', 'fd00::2/64', 'default', '0.0.0.0/0'], interfaces: ['lo'] }),
    {
      bridge: 'stead0',
      cidr: '10.244.0.0/20',
      gateway: '10.244.0.1',
    },
  );
  const second = choosePodNetwork({ ranges: ['10.244.3.7/32'], interfaces: ['lo', 'stead0', 'stead1'] });
  assert.deepEqual(second, { bridge: 'stead2', cidr: '10.244.16.0/20', gateway: '10.244.16.1' });
  assert.equal(choosePodNetwork({ ranges: ['10.0.0.0/8'], interfaces: [] }).cidr, '172.16.0.0/20');
  assert.equal(
    choosePodNetwork({ ranges: ['10.0.0.0/8', '172.16.0.0/12'], interfaces: [] }).cidr,
    '192.168.0.0/20',
  );
  assert.throws(
    () => choosePodNetwork({ ranges: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'], interfaces: [] }),
    /no private range/,
  );
});

const toNumber = (address: string): number =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

test('never overlaps what is in use', () => {
  const range = fc.tuple(
    fc.constantFrom(10, 172, 192),
    fc.nat(255),
    fc.nat(255),
    fc.integer({ min: 12, max: 32 }),
  );
  fc.assert(
    fc.property(fc.array(range, { maxLength: 20 }), (ranges) => {
      const used = ranges.map(([a, b, c, length]) => ({ first: toNumber(`${a}.${b}.${c}.0`), length }));
      const chosen = choosePodNetwork({
        ranges: ranges.map(([a, b, c, length]) => `${a}.${b}.${c}.0/${length}`),
        interfaces: [],
      });
      const first = toNumber(chosen.cidr.split('/')[0] ?? '');
      for (const other of used) {
        const size = 2 ** (32 - other.length);
        const start = other.first - (other.first % size);
        assert.ok(first + 4095 < start || start + size - 1 < first);
      }
    }),
  );
});

test('the CNI configuration keeps its leases where it is told to', () => {
  const network = { bridge: 'stead0', cidr: '10.244.0.0/20', gateway: '10.244.0.1' };
  const config = JSON.parse(cniConfig(network, '/data/cni/leases'));
  assert.deepEqual(
    config.plugins.map(({ type }: { type: string }) => type),
    ['bridge', 'portmap'],
  );
  assert.equal(config.plugins[0].ipam.dataDir, '/data/cni/leases');
  assert.deepEqual(config.plugins[0].ipam.ranges, [[{ subnet: '10.244.0.0/20', gateway: '10.244.0.1' }]]);
});

const JUMPS = `-P PREROUTING ACCEPT
-N CNI-DN-aaa
-N CNI-HOSTPORT-DNAT
-N CNI-HOSTPORT-MASQ
-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ
-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"stead-stead0\\" id: \\"x\\"" -m multiport --dports 80 -j CNI-DN-aaa
`;

test('portmap’s leftovers: ours go; its chains go only when nobody else uses them', () => {
  assert.deepEqual(portmapLeftovers(JUMPS, 'stead-stead0'), [
    [
      '-D',
      'CNI-HOSTPORT-DNAT',
      '-p',
      'tcp',
      '-m',
      'comment',
      '--comment',
      'dnat name: "stead-stead0" id: "x"',
      '-m',
      'multiport',
      '--dports',
      '80',
      '-j',
      'CNI-DN-aaa',
    ],
    ['-F', 'CNI-DN-aaa'],
    ['-X', 'CNI-DN-aaa'],
    ['-D', 'PREROUTING', '-m', 'addrtype', '--dst-type', 'LOCAL', '-j', 'CNI-HOSTPORT-DNAT'],
    [
      '-D',
      'POSTROUTING',
      '-m',
      'comment',
      '--comment',
      'CNI portfwd requiring masquerade',
      '-j',
      'CNI-HOSTPORT-MASQ',
    ],
    ['-F', 'CNI-HOSTPORT-DNAT'],
    ['-F', 'CNI-HOSTPORT-MASQ'],
    ['-X', 'CNI-HOSTPORT-DNAT'],
    ['-X', 'CNI-HOSTPORT-MASQ'],
  ]);
  assert.deepEqual(portmapLeftovers(JUMPS, 'stead-stead1'), []);
  assert.deepEqual(portmapLeftovers('-P PREROUTING ACCEPT\n', 'stead-stead0'), []);
});
