import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runCommand } from '../../node/machine/command.ts';
import { type Paths, pathsOf } from '../disk/paths.ts';
import { parseServiceCidr } from '../disk/service-cidr.ts';
import { chooseServiceRange, serviceRangeOf as rangeOf, simulatedServiceRangeOf } from './service-range.ts';
import { steadsBeside } from './steads-beside.ts';

const bare = { ranges: [], interfaces: [] };
const serviceRangeOf = (paths: Paths, serviceCidr: string | undefined, ipv6 = false): Promise<string> =>
  rangeOf(paths, { serviceCidr, ipv6 });

async function directory(context: TestContext): Promise<Paths> {
  const data = await mkdtemp(join(tmpdir(), 'stead-range-'));
  const paths = pathsOf(data);
  await mkdir(paths.run, { recursive: true });
  context.after(async () => {
    await rm(data, { recursive: true, force: true });
    await rm(paths.run, { recursive: true, force: true });
    await rmdir(dirname(paths.run)).catch(() => {});
  });
  return paths;
}

test('a range is the first that neither the machine nor another stead uses', () => {
  assert.equal(chooseServiceRange(bare, [], undefined), '10.96.0.0/16');
  const beside = [
    { data: '/a', serviceCidr: '10.96.0.0/16' },
    { data: '/b', serviceCidr: '10.98.0.0/15' },
  ];
  assert.equal(chooseServiceRange(bare, beside, undefined), '10.97.0.0/16');
  const machine = { ...bare, ranges: [{ cidr: '10.97.3.4/24' }, { cidr: 'fd00::1/64' }] };
  assert.equal(chooseServiceRange(machine, beside, undefined), '10.100.0.0/16');
  const own = { bridge: 'stead0', cidr: '10.100.16.0/20', gateway: '10.100.16.1' };
  assert.equal(chooseServiceRange(machine, beside, own), '10.101.0.0/16');
  const all = ['10.0.0.0/8', '172.16.0.0/12'].map((cidr) => ({ cidr }));
  assert.throws(
    () => chooseServiceRange({ ...bare, ranges: all }, [], undefined),
    /Give one with --service-cidr/,
  );
});

test('what somebody asks for is a range that can be one', () => {
  assert.equal(parseServiceCidr('10.20.30.40/16'), '10.20.0.0/16');
  assert.equal(parseServiceCidr('10.20.30.40/16,FD00:1::7/112'), '10.20.0.0/16,fd00:1::/112');
  const wrong = [
    '10.96.0.0',
    'fd00::/108',
    '10.0.0.0/8',
    '10.0.0.0/29',
    '127.0.0.0/16',
    '239.1.0.0/16',
    'x/16',
    'fd00::/112,10.96.0.0/16',
    '10.96.0.0/16,10.97.0.0/16',
    '10.96.0.0/16,fd00::/56',
    '10.96.0.0/16,fe80::/112',
    '10.96.0.0/16,fd00::/112,fd01::/112',
  ];
  for (const text of wrong) assert.equal(typeof parseServiceCidr(text), 'object', text);
});

test('a simulated data directory keeps what it has, whoever is beside it', async (context) => {
  const paths = await directory(context);
  assert.equal(await simulatedServiceRangeOf(paths, '10.200.0.0/16'), '10.200.0.0/16');
  assert.equal(await simulatedServiceRangeOf(paths, undefined), '10.200.0.0/16');
  await assert.rejects(simulatedServiceRangeOf(paths, '10.96.0.0/16'), {
    message: `The Services of ${paths.data} have addresses of 10.200.0.0/16, for as long as it lives: leave out --service-cidr, or give another --data-dir.`,
  });
});

test('a data directory of an earlier version keeps the range that all had', async (context) => {
  const paths = await directory(context);
  await mkdir(paths.store);
  assert.equal(await simulatedServiceRangeOf(paths, undefined), '10.96.0.0/16');
  await writeFile(paths.services, '');
  await assert.rejects(simulatedServiceRangeOf(paths, '10.97.0.0/16'), /for as long as it lives/);
});

const root = process.getuid?.() === 0 && existsSync('/usr/sbin/ip');

test('two steads of one machine never share a range, and each keeps its own', {
  skip: !root && 'takes root and iproute2',
}, async (context) => {
  const [one, two, three] = [await directory(context), await directory(context), await directory(context)];
  const [first, second] = await Promise.all([serviceRangeOf(one, undefined), serviceRangeOf(two, undefined)]);
  assert.notEqual(first, second);
  assert.deepEqual(
    [await serviceRangeOf(one, undefined), await serviceRangeOf(two, second)],
    [first, second],
  );
  await assert.rejects(serviceRangeOf(three, first), {
    message: `--service-cidr ${first} cannot be had: the Services of the stead in ${one.data} have ${first}. Give another, or leave it out.`,
  });
  const seen = (await steadsBeside(three)).map(({ data }) => data);
  assert.ok(seen.includes(one.data) && seen.includes(two.data) && !seen.includes(three.data));
  // One that is gone is in nobody's way.
  await rm(one.services);
  assert.equal(await serviceRangeOf(three, first), first);
  // One that comes back with the range of another may be up when that one is not.
  await writeFile(one.services, JSON.stringify({ serviceCidr: first }));
  assert.equal(await serviceRangeOf(one, undefined), first);
  const bridge = `steadr${process.pid % 100_000}`;
  await runCommand('ip', ['link', 'add', bridge, 'type', 'bridge']);
  context.after(() => runCommand('ip', ['link', 'delete', bridge]));
  await runCommand('ip', ['link', 'set', bridge, 'alias', `stead ${three.run}`]);
  await assert.rejects(serviceRangeOf(one, undefined), {
    message: `The Services of ${one.data} have addresses of ${first}, and so have those of the stead in ${three.data}, which is up: end that one first (stead down --data-dir ${three.data}).`,
  });
});

const IPV6 = /^10\.\d+\.0\.0\/16,fd[0-9a-f:]+::\/112$/;

test('a second range for IPv6 comes when the machine has it, and stays', {
  skip: !root && 'takes root and iproute2',
}, async (context) => {
  const [old, young] = [await directory(context), await directory(context)];
  const ipv4 = await serviceRangeOf(old, undefined);
  assert.ok(!ipv4.includes(','));
  // Who asks for IPv4 alone has it alone.
  assert.equal(await serviceRangeOf(old, ipv4, true), ipv4);
  const both = await serviceRangeOf(old, undefined, true);
  assert.match(both, IPV6);
  assert.ok(both.startsWith(`${ipv4},`));
  assert.equal(await serviceRangeOf(old, undefined, false), both);
  await assert.rejects(serviceRangeOf(old, ipv4, true), /for as long as it lives/);
  assert.match(await serviceRangeOf(young, undefined, true), IPV6);
  // A second one is in nobody's way, as the first is not.
  const six = both.split(',')[1];
  const third = await directory(context);
  await assert.rejects(serviceRangeOf(third, `10.212.0.0/16,${six}`), {
    message: `--service-cidr ${six} cannot be had: the Services of the stead in ${old.data} have ${both}. Give another, or leave it out.`,
  });
  assert.equal(await serviceRangeOf(third, '10.212.0.0/16,fd00:9876::/112'), '10.212.0.0/16,fd00:9876::/112');
});

test('one that is asked for can be added', async (context) => {
  const paths = await directory(context);
  await simulatedServiceRangeOf(paths, '10.200.0.0/16');
  const both = '10.200.0.0/16,fd00:1::/112';
  assert.equal(await simulatedServiceRangeOf(paths, both), both);
  assert.equal(await simulatedServiceRangeOf(paths, undefined), both);
  await assert.rejects(
    simulatedServiceRangeOf(paths, '10.200.0.0/16,fd00:2::/112'),
    /for as long as it lives/,
  );
});
