import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../base/log.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { ApiForPods } from './api-for-pods.ts';

/** A machine whose bridge has these addresses, and what has become of the API on it. */
function machine(addresses: readonly string[] = ['127.0.0.1']) {
  const seen = { network: undefined as string | undefined, bridge: new Set<string>(), steps: [] as string[] };
  const clock = new VirtualClock();
  const api = new ApiForPods({
    podAddress: async () => seen.network,
    addresses,
    port: 6443,
    async alsoOn(address) {
      if (!seen.bridge.has(address))
        throw Object.assign(new Error('no such address'), { code: 'EADDRNOTAVAIL' });
      seen.steps.push(`open ${address}`);
      return () => void seen.steps.push(`shut ${address}`);
    },
    async addName(address) {
      seen.steps.push(`certificate ${address}`);
    },
    clock,
    log: silentLog,
  });
  api.onChange(() => void seen.steps.push(`at ${api.current()?.ip}:${api.current()?.port}`));
  return { api, clock, seen };
}

test('the API is open for pods as soon as their bridge is there, and goes with it to another address', async () => {
  const { api, clock, seen } = machine();
  const stop = new AbortController();
  const keeping = api.keep(stop.signal);
  await clock.advance(1_000);
  assert.deepEqual([seen.steps, api.current()], [[], undefined]);
  seen.network = '10.244.0.1';
  await clock.advance(200);
  assert.equal(api.current(), undefined);
  seen.bridge.add('10.244.0.1');
  seen.steps.length = 0;
  await clock.advance(200);
  const opened = ['certificate 10.244.0.1', 'open 10.244.0.1', 'at 10.244.0.1:6443'];
  assert.deepEqual(seen.steps, opened);
  await clock.advance(60_000);
  assert.deepEqual(seen.steps, opened);
  seen.network = '10.244.16.1';
  seen.bridge.add('10.244.16.1');
  await clock.advance(10_000);
  assert.deepEqual(seen.steps.slice(3), [
    ...['certificate 10.244.16.1', 'open 10.244.16.1', 'shut 10.244.0.1', 'at 10.244.16.1:6443'],
  ]);
  stop.abort();
  await keeping;
});

test('where it listens anyway it is not opened a second time', async () => {
  for (const address of ['0.0.0.0', '::', '10.244.0.1']) {
    const { api, seen } = machine([address]);
    seen.network = '10.244.0.1';
    assert.equal(await api.look(), true);
    assert.deepEqual(seen.steps, ['certificate 10.244.0.1', 'at 10.244.0.1:6443']);
  }
});
