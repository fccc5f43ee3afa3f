// What every backend of the store must do, as one suite of tests. A backend's own test file calls it with a way to
// open a store; what only that backend can do (durability, formats) is tested there.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import type { Store, StoreEvent, WatchOptions } from './store.ts';
import { CompactedError } from './store.ts';
import { revisionOfEvent } from './watchers.ts';

/** One place where a store can be opened. */
export interface Backend {
  open(): Promise<Store>;
  /** Removes what is left of it, after the store has been closed. */
  remove(): Promise<void>;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString();

/** `+a@3=x` for a put of x, `-a@4<x` for a deletion of it: events in a form that diffs well. */
function show(event: StoreEvent): string {
  return event.type === 'put'
    ? `+${event.entry.key}@${event.entry.revision}=${text(event.entry.value)}`
    : `-${event.key}@${event.revision}<${text(event.previous.value)}`;
}

async function mustPut(store: Store, key: string, value: string, expected = 0): Promise<number> {
  const result = await store.put(key, bytes(value), expected);
  assert.ok(result.ok, `put ${key} was refused`);
  return result.revision;
}

async function mustDelete(store: Store, key: string, expected: number): Promise<number> {
  const result = await store.delete(key, expected);
  assert.ok(result.ok, `delete ${key} was refused`);
  return result.revision;
}

/** What a watch has told so far. */
interface Recording {
  seen: string[];
  revisions: number[];
  /** Why it has ended by itself. */
  ended: Error | undefined;
  stop(): void;
  /** Resolves when it has told of all that was written before the call. */
  caughtUp(): Promise<void>;
}

/** Others have their turn until it holds; the test's own limit ends what never does. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise<void>((resolve) => setImmediate(resolve));
}

function record(store: Store, options: Pick<WatchOptions, 'prefix' | 'afterRevision'>): Recording {
  let reached = options.afterRevision;
  const recording: Recording = {
    seen: [],
    revisions: [],
    ended: undefined,
    stop: () => stop(),
    async caughtUp() {
      const newest = await store.revision();
      await until(() => reached >= newest);
    },
  };
  const stop = store.watch({
    ...options,
    onEvents: (events) => {
      recording.seen.push(...events.map(show));
      recording.revisions.push(...events.map(revisionOfEvent));
      reached = Math.max(reached, ...events.map(revisionOfEvent));
    },
    onProgress: (revision) => {
      reached = Math.max(reached, revision);
    },
    onEnd: (reason) => {
      assert.equal(recording.ended, undefined, 'a watch ends once');
      recording.ended = reason;
    },
  });
  return recording;
}

/** Keys and their revisions, in order. */
const listing = (revisions: ReadonlyMap<string, number>): string =>
  [...revisions]
    .map(([key, revision]) => `${key}@${revision}`)
    .sort()
    .join(' ');

/** Registers the suite. `make` is called for every test, for a place of its own. */
export function storeContract(name: string, make: () => Promise<Backend>): void {
  describe(`store contract: ${name}`, () => {
    let backend: Backend;
    let store: Store;
    beforeEach(async () => {
      backend = await make();
      store = await backend.open();
    });
    afterEach(async () => {
      await store.close();
      await backend.remove();
    });

    it('begins empty, at revision 0', async () => {
      assert.equal(await store.revision(), 0);
      assert.equal(await store.get('/a'), undefined);
      assert.deepEqual(await store.list('/'), { entries: [], revision: 0, more: false });
    });

    it('puts, gets and deletes on the expected revision only', async () => {
      const first = await mustPut(store, '/a', '1');
      const refused = await store.put('/a', bytes('x'), 0);
      assert.ok(!refused.ok);
      assert.equal(text(refused.current?.value), '1');
      const second = await mustPut(store, '/a', '2', first);
      assert.ok(second > first);
      assert.equal(await store.revision(), second);
      assert.deepEqual(
        { ...(await store.get('/a')), value: undefined },
        { key: '/a', revision: second, createRevision: first, value: undefined },
      );
      const stale = await store.delete('/a', first);
      assert.ok(!stale.ok);
      assert.equal(text(stale.current?.value), '2');
      const third = await mustDelete(store, '/a', second);
      assert.ok(third > second);
      assert.equal(await store.get('/a'), undefined);
      assert.deepEqual(await store.delete('/a', second), { ok: false, current: undefined });
      assert.deepEqual(await store.delete('/a', 0), { ok: false, current: undefined });
      assert.deepEqual(await store.put('/a', bytes('x'), second), { ok: false, current: undefined });
      const fourth = await mustPut(store, '/a', '4');
      assert.equal((await store.get('/a'))?.createRevision, fourth);
    });

    it('lets exactly one of many concurrent writers win each revision', async () => {
      let revision = await mustPut(store, '/n', '0');
      for (let round = 1; round <= 20; round++) {
        const expected = revision;
        const results = await Promise.all(
          Array.from({ length: 16 }, (_, i) => store.put('/n', bytes(`${round}.${i}`), expected)),
        );
        const winners = results.filter((result) => result.ok);
        assert.equal(winners.length, 1);
        for (const result of results) {
          if (result.ok) revision = result.revision;
          else assert.ok((result.current?.revision ?? 0) > expected, 'the loser is shown what won');
        }
      }
      assert.equal(await store.revision(), 21);
    });

    it('keeps a counter right when writers retry', async () => {
      await mustPut(store, '/n', '0');
      const increment = async (): Promise<void> => {
        for (;;) {
          const entry = await store.get('/n');
          assert.ok(entry);
          const next = String(Number(text(entry.value)) + 1);
          if ((await store.put('/n', bytes(next), entry.revision)).ok) return;
        }
      };
      await Promise.all(Array.from({ length: 30 }, increment));
      assert.equal(text((await store.get('/n'))?.value), '30');
    });

    it('lists below a prefix, in order, page by page', async () => {
      for (const key of ['/p/b', '/p/a', '/q/a', '/p/c', '/o/z', '/p', '/p/a/x'])
        await mustPut(store, key, key);
      const keys = async (options: Parameters<Store['list']>[1]): Promise<string> => {
        const { entries, more } = await store.list('/p/', options);
        return entries.map((entry) => entry.key).join(' ') + (more ? ' …' : '');
      };
      assert.equal(await keys({}), '/p/a /p/a/x /p/b /p/c');
      assert.equal(await keys({ limit: 2 }), '/p/a /p/a/x …');
      assert.equal(await keys({ limit: 2, after: '/p/a/x' }), '/p/b /p/c');
      assert.equal(await keys({ after: '/p/aa' }), '/p/b /p/c');
      assert.equal(await keys({ after: '/p/c' }), '');
      assert.equal(await keys({ limit: 4 }), '/p/a /p/a/x /p/b /p/c');
      assert.equal(await store.count('/p/'), 4);
      assert.equal(await store.count('/p'), 5);
      assert.equal(await store.count(''), 7);
      assert.equal((await store.list('')).entries.length, 7);
      assert.equal(await store.count('/r'), 0);
    });

    it('pages through one revision while others write and delete', async () => {
      const name = (i: number): string => `/l/${String(i).padStart(3, '0')}`;
      const revisions: number[] = [];
      for (let i = 0; i < 60; i++) revisions.push(await mustPut(store, name(i), `v${i}`));
      const seen: string[] = [];
      let page = await store.list('/l/', { limit: 7 });
      const { revision } = page;
      for (;;) {
        seen.push(...page.entries.map((entry) => `${entry.key}=${text(entry.value)}`));
        const after = page.entries.at(-1)?.key;
        if (!page.more || after === undefined) break;
        const i = seen.length;
        await mustDelete(store, name(59 - i / 7), revisions[59 - i / 7] ?? 0);
        await mustPut(store, name(i), 'changed', revisions[i]).catch(() => {});
        await mustPut(store, `/l/x${i}`, 'new');
        page = await store.list('/l/', { limit: 7, after, revision });
        assert.equal(page.revision, revision);
      }
      assert.deepEqual(
        seen,
        Array.from({ length: 60 }, (_, i) => `${name(i)}=v${i}`),
      );
    });

    it('lists old revisions until they are compacted away', async () => {
      const a1 = await mustPut(store, '/a', '1');
      const b1 = await mustPut(store, '/b', '1');
      const a2 = await mustPut(store, '/a', '2', a1);
      const bGone = await mustDelete(store, '/b', b1);
      const b2 = await mustPut(store, '/b', '2');
      const at = async (revision: number): Promise<string[]> =>
        (await store.list('/', { revision })).entries.map((e) => `${e.key}=${text(e.value)}`);
      const history = [['/a=1'], ['/a=1', '/b=1'], ['/a=2', '/b=1'], ['/a=2'], ['/a=2', '/b=2']];
      for (const [i, expected] of history.entries()) assert.deepEqual(await at(i + 1), expected);
      await store.compact(bGone);
      await assert.rejects(at(a2), CompactedError);
      assert.deepEqual(await at(bGone), ['/a=2']);
      assert.deepEqual(await at(b2), ['/a=2', '/b=2']);
      await store.compact(a1);
      assert.deepEqual(await at(b2), ['/a=2', '/b=2']);
      await store.compact(1_000_000);
      assert.equal(await store.revision(), b2);
      assert.deepEqual(await at(b2), ['/a=2', '/b=2']);
      assert.equal((await store.get('/b'))?.createRevision, b2);
      assert.equal(text((await store.get('/a'))?.value), '2');
    });

    it('tells watchers of every change below their prefix, and how far they have come', async () => {
      const all = record(store, { prefix: '/', afterRevision: 0 });
      const some = record(store, { prefix: '/p/', afterRevision: 0 });
      const a = await mustPut(store, '/p/a', '1');
      await all.caughtUp();
      assert.deepEqual(all.seen, ['+/p/a@1=1']);
      const b = await mustPut(store, '/q', '1');
      const c = await mustPut(store, '/p/a', '2', a);
      await store.put('/p/a', bytes('refused'), 0);
      await mustDelete(store, '/p/a', c);
      await mustPut(store, '/p/a', '3');
      await some.caughtUp();
      some.stop();
      await mustPut(store, '/p/z', '1');
      await all.caughtUp();
      all.stop();
      await mustDelete(store, '/q', b);
      assert.deepEqual(some.seen, ['+/p/a@1=1', '+/p/a@3=2', '-/p/a@4<2', '+/p/a@5=3']);
      assert.deepEqual(all.seen, ['+/p/a@1=1', '+/q@2=1', ...some.seen.slice(1), '+/p/z@6=1']);
      const replay = record(store, { prefix: '/p/', afterRevision: 1 });
      await replay.caughtUp();
      assert.deepEqual(replay.seen, [...some.seen.slice(1), '+/p/z@6=1']);
      replay.stop();
      const nothing = record(store, { prefix: '/nobody/', afterRevision: 0 });
      await nothing.caughtUp();
      await mustPut(store, '/r', '1');
      await nothing.caughtUp();
      nothing.stop();
      assert.deepEqual(
        [nothing.seen, all.ended, some.ended, nothing.ended],
        [[], undefined, undefined, undefined],
      );
    });

    it('delivers without gap or duplicate when watches begin while writes go on', async () => {
      const watches = new Map<number, Recording>();
      const begin = (afterRevision: number): void => {
        if (watches.has(afterRevision)) return;
        watches.set(afterRevision, record(store, { prefix: '/', afterRevision }));
      };
      begin(0);
      await Promise.all(
        Array.from({ length: 20 }, async (_, writer) => {
          for (let i = 0; i < 10; i++) {
            await mustPut(store, `/${writer}/${i}`, 'v');
            begin(await store.revision());
          }
        }),
      );
      for (const [after, watch] of watches) {
        await watch.caughtUp();
        assert.deepEqual(
          watch.revisions,
          Array.from({ length: 200 - after }, (_, i) => after + 1 + i),
        );
        watch.stop();
      }
    });

    it('orders the events of writes that a watcher makes', async () => {
      const done: Promise<unknown>[] = [];
      const stop = store.watch({
        prefix: '/',
        afterRevision: 0,
        onEvents: (events) => {
          for (const event of events) {
            if (revisionOfEvent(event) < 5) done.push(store.put(`/by-watcher/${done.length}`, bytes('x'), 0));
          }
        },
        onEnd: assert.fail,
      });
      const second = record(store, { prefix: '/', afterRevision: 0 });
      await mustPut(store, '/a', '1');
      await until(() => second.revisions.length >= 5);
      await Promise.all(done);
      assert.deepEqual(second.revisions, [1, 2, 3, 4, 5]);
      stop();
      second.stop();
    });

    it('goes on watching across a compaction, and refuses to start before it', async () => {
      const live = record(store, { prefix: '/', afterRevision: 0 });
      let revision = await mustPut(store, '/a', '1');
      for (let i = 2; i <= 5; i++) revision = await mustPut(store, '/a', String(i), revision);
      await live.caughtUp();
      await store.compact(3);
      const early = record(store, { prefix: '/', afterRevision: 2 });
      await until(() => early.ended !== undefined);
      assert.ok(early.ended instanceof CompactedError, String(early.ended));
      assert.deepEqual(early.seen, []);
      const late = record(store, { prefix: '/', afterRevision: 3 });
      await late.caughtUp();
      assert.deepEqual(late.seen, ['+/a@4=4', '+/a@5=5']);
      await mustDelete(store, '/a', revision);
      await late.caughtUp();
      await live.caughtUp();
      await store.compact(6);
      await mustPut(store, '/b', '1');
      await late.caughtUp();
      await live.caughtUp();
      assert.deepEqual(late.seen.slice(2), ['-/a@6<5', '+/b@7=1']);
      assert.deepEqual(live.seen.slice(3), late.seen);
      assert.equal(live.seen.length, 7);
      assert.deepEqual(
        (await store.list('/')).entries.map((entry) => entry.key),
        ['/b'],
      );
    });

    it('tells a watch that was stopped nothing, not even its end', async () => {
      const stopped = record(store, { prefix: '/', afterRevision: 0 });
      stopped.stop();
      await mustPut(store, '/a', '1');
      await store.compact(1);
      const early = record(store, { prefix: '/', afterRevision: 0 });
      early.stop();
      await store.close();
      await new Promise<void>((resolve) => setImmediate(resolve));
      assert.deepEqual([stopped.seen, stopped.ended, early.ended], [[], undefined, undefined]);
    });

    it('compacts a long history while writes go on', async () => {
      let revision = 0;
      const write = async (rounds: number): Promise<void> => {
        for (let i = 0; i < rounds; i++) revision = await mustPut(store, '/hot', `${i}`, revision);
      };
      const churn = async (prefix: string): Promise<void> => {
        for (let i = 0; i < 50; i++) {
          const keys = Array.from({ length: 20 }, (_, j) => `${prefix}/${i}/${j}`);
          const at = await Promise.all(keys.map((key) => mustPut(store, key, 'x')));
          await Promise.all(keys.map((key, j) => mustDelete(store, key, at[j] ?? 0)));
        }
      };
      await churn('/c');
      await write(200);
      await Promise.all([store.revision().then((at) => store.compact(at)), churn('/d'), write(50)]);
      await store.compact(await store.revision());
      const { entries } = await store.list('/');
      assert.deepEqual(
        entries.map((entry) => `${entry.key}=${text(entry.value)}`),
        ['/hot=49'],
      );
    });

    it('agrees with a plain model on any sequence of writes and compactions', async () => {
      const key = fc.constantFrom('/a', '/a/b', '/b', '/c/d');
      const step = fc.oneof(
        { weight: 5, arbitrary: fc.record({ do: fc.constant('put' as const), key }) },
        { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const), back: fc.nat(6) }) },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
          // The store goes on from run to run: the model begins with what is there.
          const origin = await store.revision();
          const current = new Map((await store.list('')).entries.map((entry) => [entry.key, entry.revision]));
          const history = new Map([[origin, listing(current)]]);
          const live = record(store, { prefix: '/', afterRevision: origin });
          let oldest = origin;
          for (const one of steps) {
            if (one.do === 'compact') {
              oldest = Math.max(oldest, (await store.revision()) - one.back);
              await store.compact(oldest);
              continue;
            }
            const expected = current.get(one.key) ?? 0;
            if (one.do === 'put') {
              current.set(one.key, await mustPut(store, one.key, 'v', expected));
            } else {
              const result = await store.delete(one.key, expected);
              assert.equal(result.ok, current.delete(one.key));
            }
            history.set(await store.revision(), listing(current));
          }
          await live.caughtUp();
          for (const [revision, model] of history) {
            if (revision < oldest) continue;
            const { entries } = await store.list('', { revision });
            assert.equal(listing(new Map(entries.map((entry) => [entry.key, entry.revision]))), model);
            const replay = record(store, { prefix: '/', afterRevision: revision });
            await replay.caughtUp();
            assert.deepEqual(replay.seen, live.seen.slice(revision - origin));
            replay.stop();
          }
          live.stop();
        }),
        { numRuns: 60 },
      );
    });

    it('keeps values as they are: empty, binary, large', async () => {
      const values = [
        new Uint8Array(),
        new Uint8Array([0, 255, 1, 254]),
        Buffer.alloc(1_500_000, 'large'),
      ] as const;
      for (const [i, value] of values.entries()) {
        assert.ok((await store.put(`/v${i}`, value, 0)).ok);
        assert.deepEqual(Buffer.from((await store.get(`/v${i}`))?.value ?? []), Buffer.from(value));
      }
      // What was handed out stays as it was, whatever is read later.
      const { entries } = await store.list('/v');
      for (let i = 0; i < 100; i++) await mustPut(store, `/w${i}`, `${i}`.repeat(100));
      await store.list('/w');
      for (const [i, value] of values.entries()) {
        assert.deepEqual(Buffer.from(entries[i]?.value ?? []), Buffer.from(value));
      }
    });

    it('refuses to work after it was closed, and ends its watches', async () => {
      const before = record(store, { prefix: '/', afterRevision: 0 });
      await store.close();
      await until(() => before.ended !== undefined);
      assert.match(String(before.ended), /closed/);
      await assert.rejects(store.get('/a'), /closed/);
      await assert.rejects(store.revision(), /closed/);
      await assert.rejects(store.put('/a', bytes('1'), 0), /closed/);
      const after = record(store, { prefix: '/', afterRevision: 0 });
      await until(() => after.ended !== undefined);
      assert.match(String(after.ended), /closed/);
      await store.close();
    });
  });
}

/**
 * What those in this process do beyond the contract, and what makes reading right after writing cheap: watchers know of a
 * write before whoever made it.
 */
export function embeddedStoreContract(name: string, make: () => Promise<Backend>): void {
  it(`store contract: ${name}: tells watchers before the write resolves`, async () => {
    const backend = await make();
    const store = await backend.open();
    const all = record(store, { prefix: '/', afterRevision: 0 });
    const a = await mustPut(store, '/a', '1');
    assert.deepEqual(all.seen, ['+/a@1=1']);
    await mustDelete(store, '/a', a);
    assert.deepEqual(all.seen, ['+/a@1=1', '-/a@2<1']);
    const replay = record(store, { prefix: '/', afterRevision: 0 });
    assert.deepEqual(replay.seen, all.seen);
    await store.close();
    await backend.remove();
  });
}
