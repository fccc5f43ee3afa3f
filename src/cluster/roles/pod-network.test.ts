import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isOwnNetwork } from '../../network/cni/test-own-network.ts';
import { runCommand } from '../../node/machine/command.ts';
import { type Paths, pathsOf } from '../disk/paths.ts';
import { rangesOf } from '../disk/service-cidr.ts';
import { systemRandom } from '../process/system-clock.ts';
import {
  type RunningPodNetwork,
  removePodNetwork,
  setUpPodNetwork,
  takeDownPodNetwork,
} from './pod-network.ts';
import { serviceRangeOf } from './service-range.ts';

const needsNetwork =
  process.getuid?.() === 0 && existsSync('/usr/sbin/nft')
    ? {}
    : { skip: 'needs root, iproute2 and nftables' };

async function directory(context: TestContext): Promise<Paths> {
  const paths = pathsOf(await mkdtemp(join(tmpdir(), 'stead-network-')));
  await mkdir(paths.run, { recursive: true });
  context.after(async () => {
    await removePodNetwork(paths);
    await rm(paths.data, { recursive: true, force: true });
    await rm(paths.run, { recursive: true, force: true });
    await rmdir(dirname(paths.run)).catch(() => {});
  });
  return paths;
}

async function start(paths: Paths, ipv6 = true): Promise<RunningPodNetwork> {
  const serviceCidr = await serviceRangeOf(paths, { ipv6 });
  return setUpPodNetwork(paths, { serviceCidr, random: systemRandom });
}

async function everything(): Promise<string> {
  const asked = [
    runCommand('ip', ['address', 'show']),
    runCommand('nft', ['list', 'ruleset']),
    runCommand('ip', ['-6', 'route', 'show', 'table', 'all']),
  ];
  return (await Promise.all(asked)).join('\n');
}

if (isOwnNetwork(import.meta.filename, needsNetwork)) {
  test('two steads on one machine have nothing in common, and neither takes what is the other’s', async (context) => {
    const [one, two] = [await directory(context), await directory(context)];
    const [first, second] = await Promise.all([start(one), start(two)]);
    assert.notEqual(first.bridge, second.bridge);
    assert.notEqual(first.proxied?.name.table, second.proxied?.name.table);
    const all = [first, second].flatMap(({ cidr, ipv6, proxied }) => [
      ...[cidr, ipv6?.cidr],
      ...(proxied?.options.serviceRanges ?? []).map((range) => range.cidr),
    ]);
    assert.equal(new Set(all).size, 8, all.join());
    assert.ok(!all.includes(undefined));
    await takeDownPodNetwork(one);
    const left = await everything();
    for (const own of [first.bridge, first.gateway, first.ipv6?.gateway ?? ''])
      assert.ok(!left.includes(`${own} `) && !left.includes(`${own}/`), own);
    for (const other of [second.bridge, `${second.gateway}/`, `${second.ipv6?.gateway}/`])
      assert.ok(left.includes(other), left);
    const again = await start(one);
    assert.deepEqual([again.bridge, again.cidr, again.ipv6], [first.bridge, first.cidr, first.ipv6]);
    await removePodNetwork(one);
    await removePodNetwork(two);
    const rest = await everything();
    assert.ok(!/stead/i.test(rest), rest);
  });

  test('a network of IPv4 gets IPv6 and keeps the rest; a copy of a data directory gets another', async (context) => {
    const [old, copy] = [await directory(context), await directory(context)];
    const before = await start(old, false);
    assert.equal(before.ipv6, undefined);
    const after = await start(old, true);
    assert.deepEqual([after.bridge, after.cidr], [before.bridge, before.cidr]);
    assert.match(after.ipv6?.cidr ?? '', /^fd[0-9a-f:]+::\/64$/);
    const conflist = await readFile(join(after.cniConfDirectory, 'stead.conflist'), 'utf8');
    for (const { cidr } of [after, after.ipv6 ?? assert.fail()]) assert.ok(conflist.includes(cidr), conflist);
    await writeFile(copy.network, await readFile(old.network));
    const other = await start(copy);
    assert.notEqual(other.bridge, after.bridge);
    assert.notEqual(other.ipv6?.cidr, after.ipv6?.cidr);
    assert.equal(rangesOf(await serviceRangeOf(copy, { ipv6: true })).length, 2);
  });
}
