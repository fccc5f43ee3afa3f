import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { leases } from '../api/resources/leases/definition.ts';
import { sleep } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import type { Client } from './client.ts';
import { directClient } from './direct.ts';
import { runElected } from './leader-election.ts';
import { FakeApi, user } from './test-api.ts';

describe('leader election', () => {
  let clock: VirtualClock;
  let api: FakeApi;
  let leading: Set<string>;
  let history: string[];
  beforeEach(() => {
    clock = new VirtualClock();
    api = new FakeApi();
    leading = new Set();
    history = [];
  });

  function run(identity: string, client: Client = directClient(api, user)) {
    const stop = new AbortController();
    const context = {
      client,
      clock,
      random: seededRandom(identity.length),
      log: silentLog,
      signal: stop.signal,
    };
    const ended = runElected(
      context,
      { namespace: 'kube-system', name: 'lock', identity },
      async (signal) => {
        leading.add(identity);
        assert.equal(leading.size, 1, 'never two at a time');
        history.push(identity);
        while (!signal.aborted) await sleep(clock, 1000, signal);
        leading.delete(identity);
      },
    );
    return { stop, ended };
  }

  it('has one leader, and a next one soon after it has left', async () => {
    const a = run('a');
    await clock.settle();
    const b = run('bb');
    await clock.advance(60_000);
    assert.deepEqual(history, ['a']);
    a.stop.abort();
    await a.ended;
    await clock.advance(6_000);
    assert.deepEqual(history, ['a', 'bb']);
    const lease = await directClient(api, user).get(leases, { namespace: 'kube-system', name: 'lock' });
    assert.equal(lease.spec.holderIdentity, 'bb');
    assert.equal(lease.spec.leaseTransitions, 1);
    b.stop.abort();
    await b.ended;
    assert.equal(clock.pending, 0);
  });

  it('goes on at once with the lease that an earlier process of its identity left behind', async () => {
    let dead = false;
    const killed: FakeApi = Object.create(api, {
      handle: {
        value: (request: Parameters<FakeApi['handle']>[0]) =>
          dead ? new Promise(() => {}) : api.handle(request),
      },
    });
    run('a', directClient(killed, user));
    await clock.settle();
    assert.deepEqual(history, ['a']);
    dead = true;
    leading.clear();
    const again = run('a');
    await clock.settle();
    assert.deepEqual(history, ['a', 'a']);
    const lease = await directClient(api, user).get(leases, { namespace: 'kube-system', name: 'lock' });
    assert.equal(lease.spec.leaseTransitions, 0);
    again.stop.abort();
    await again.ended;
  });

  it('steps down before its lease expires when it cannot reach the API, and another takes over', async () => {
    let cutOff = false;
    const cut: FakeApi = Object.create(api, {
      handle: {
        value: async (request: Parameters<FakeApi['handle']>[0]) => {
          if (cutOff) throw new Error('connection refused');
          return api.handle(request);
        },
      },
    });
    const a = run('a', directClient(cut, user));
    await clock.settle();
    const b = run('bb');
    await clock.advance(30_000);
    cutOff = true;
    await clock.advance(12_500);
    assert.deepEqual([...leading], []);
    await clock.advance(10_000);
    assert.deepEqual(history, ['a', 'bb']);
    cutOff = false;
    await clock.advance(60_000);
    assert.deepEqual(history, ['a', 'bb']);
    for (const { stop, ended } of [a, b]) {
      stop.abort();
      await ended;
    }
  });
});
