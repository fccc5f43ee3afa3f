import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { PodNetwork } from '../../api/between/pod-network.ts';
import { cniConfig } from './config.ts';
import { firewallRules, portmapLeftovers } from './firewall.ts';
import {
  choosePodNetwork,
  keepOrChooseIPv6,
  keepOrChoosePodNetwork,
  type MachineNetwork,
  useOf,
} from './pod-network.ts';

/** A machine with these ranges and interfaces. */
const machine = (ranges: readonly string[], interfaces: readonly string[] = []): MachineNetwork => ({
  ranges: ranges.map((cidr) => ({ cidr })),
  interfaces: interfaces.map((name) => ({ name })),
});

test('the first choice, and the next when something is in the way', () => {
  const empty = machine(['192.0.2.2/24', 'fd00::2/64', 'default', '0.0.0.0/0'], ['lo']);
  const first = { bridge: 'stead0', cidr: '10.244.0.0/20', gateway: '10.244.0.1' };
  assert.deepEqual(choosePodNetwork(empty), first);
  const second = choosePodNetwork(machine(['10.244.3.7/32'], ['lo', 'stead0', 'stead1']));
  assert.deepEqual(second, { bridge: 'stead2', cidr: '10.244.16.0/20', gateway: '10.244.16.1' });
  assert.equal(choosePodNetwork(machine(['10.0.0.0/8'])).cidr, '172.16.0.0/20');
  assert.equal(choosePodNetwork(machine(['10.0.0.0/8', '172.16.0.0/12'])).cidr, '192.168.0.0/20');
  assert.throws(
    () => choosePodNetwork(machine(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'])),
    /no private range/,
  );
});

test('a network is kept as long as nobody else has it', () => {
  const known = { bridge: 'stead0', cidr: '10.244.0.0/20', gateway: '10.244.0.1' };
  const [mine, other] = ['stead /run/stead/a', 'stead /run/stead/b'];
  const keep = (there: MachineNetwork): PodNetwork => keepOrChoosePodNetwork(known, there, mine, []);
  const bridge = (alias: string | undefined, address = '10.244.0.1/20'): MachineNetwork => ({
    ranges: [{ cidr: address, on: 'stead0' }],
    interfaces: [{ name: 'stead0', alias }],
  });
  assert.equal(keep(machine([])), known);
  assert.equal(keep(bridge(mine)), known);
  // Made by a version that wrote no alias.
  assert.equal(keep(bridge(undefined)), known);
  const elsewhere = { bridge: 'stead1', cidr: '10.244.16.0/20', gateway: '10.244.16.1' };
  assert.deepEqual(keep(bridge(other)), elsewhere);
  // Only the name is taken, or only the range.
  assert.deepEqual(keep(bridge(undefined, '10.9.0.1/20')), { ...known, bridge: 'stead1' });
  assert.deepEqual(keep(machine(['10.244.3.0/24'])), { ...elsewhere, bridge: 'stead0' });
  // A wider route that came up under its pods is no reason to move them.
  const vpn = { ...bridge(mine), ranges: [...bridge(mine).ranges, { cidr: '10.0.0.0/8', on: 'tun0' }] };
  assert.equal(keep(vpn), known);
});

test('ranges with another purpose are never chosen', () => {
  const full = machine(['10.244.0.0/14', '10.128.0.0/9', '172.16.0.0/12', '10.0.0.0/10', '10.64.0.0/11']);
  assert.equal(keepOrChoosePodNetwork(undefined, full, '', []).cidr, '10.96.0.0/20');
  const chosen = keepOrChoosePodNetwork(undefined, full, '', ['10.96.0.0/16']);
  assert.equal(chosen.cidr, '10.97.0.0/20');
  const inTheWay = { ...chosen, cidr: '10.96.16.0/20', gateway: '10.96.16.1' };
  assert.deepEqual(keepOrChoosePodNetwork(inTheWay, full, '', ['10.96.0.0/16']), chosen);
});

test('what the machine itself does with a range is found', () => {
  assert.equal(useOf('10.96.0.0/16', machine(['192.0.2.2/24', 'default', '10.0.0.0/8'])), '10.0.0.0/8');
  assert.equal(useOf('10.96.0.0/16', machine(['192.0.2.2/24', 'default', '10.97.0.0/16'])), undefined);
});

test('a range that nobody answers for is refused before anything is let through', () => {
  const network = { bridge: 'stead0', cidr: '10.244.0.0/20', gateway: '10.244.0.1' };
  const about = (text: string, chain: string): string[] =>
    text.split('\n').filter((line) => line.startsWith(`-A STEAD-${chain}-stead0`));
  const both = firewallRules(network, { cidr: '10.96.0.0/16', onHost: true });
  const [first = '', second = '', third = ''] = about(both, 'FORWARD');
  assert.match(first, /-s 10.244.0.0\/20 -d 10.96.0.0\/16 -p tcp -j REJECT --reject-with tcp-reset/);
  assert.match(second, /-d 10.96.0.0\/16 -j REJECT/);
  assert.match(third, /-j ACCEPT/);
  assert.equal(about(both, 'OUTPUT').length, 2);
  const podsOnly = firewallRules(network, { cidr: '10.96.0.0/16', onHost: false });
  assert.deepEqual(about(podsOnly, 'FORWARD'), about(both, 'FORWARD'));
  assert.deepEqual(about(podsOnly, 'OUTPUT'), []);
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
      const chosen = choosePodNetwork(
        machine(ranges.map(([a, b, c, length]) => `${a}.${b}.${c}.0/${length}`)),
      );
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

test('a range of IPv6 is a random one, kept as long as nobody else has it', () => {
  const numbers = [0, 0.5];
  const random = { next: () => numbers.shift() ?? assert.fail('no more chance'), uuid: () => '' };
  const first = { cidr: 'fd00::/64', gateway: 'fd00::1' };
  const second = { cidr: 'fd80::/64', gateway: 'fd80::1' };
  // The first is the machine's own.
  const used = machine(['fd00::2/64', 'fe80::/64', '::/0']);
  assert.deepEqual(keepOrChooseIPv6(undefined, false, used, random), second);
  assert.equal(keepOrChooseIPv6(second, false, used, random), second);
  assert.equal(keepOrChooseIPv6(first, true, used, random), first, 'the use is its own');
  numbers.push(0.5);
  assert.deepEqual(keepOrChooseIPv6(first, false, used, random), second);
});

test('rules of IPv6: neighbours are found, nobody plays the router', () => {
  const network = { bridge: 'stead0', cidr: 'fd12::/64', gateway: 'fd12::1' };
  const rules = firewallRules(network, { cidr: 'fd13::/112', onHost: true });
  for (const part of [
    '-s fd12::/64 -d fd13::/112 -j REJECT --reject-with icmp6-port-unreachable',
    '-A STEAD-FORWARD-stead0 -i stead0 -o stead0 -p ipv6-icmp --icmpv6-type router-advertisement -j DROP',
    '-A STEAD-INPUT-stead0 -i stead0 -p ipv6-icmp --icmpv6-type neighbour-solicitation -j ACCEPT',
    '-s fd12::/64 -d ff00::/8 -j RETURN',
  ])
    assert.ok(rules.includes(part), rules);
  assert.ok(!/\d+\.\d+\.\d+\.\d+/.test(rules), rules);
});
