// The table in the kernel is what its parts want, whatever fails, ends or interferes. Over real nft, in a namespace.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { type Log, silentLog } from '../../base/log.ts';
import { makeMachine, type TestMachine, whyNoMachine } from '../test-machine.ts';
import { readExisting } from './existing.ts';
import type { Chain, Ruleset } from './ruleset.ts';
import { NftTable } from './table.ts';

const CHAIN = 'arriving';

/** A part with a base chain of these rules, and chains of one rule each. */
function part(rules: string[], chains: readonly string[] = []): Ruleset {
  return {
    chains: new Map([
      [CHAIN, { hook: { type: 'filter', hook: 'input', priority: 'filter' }, rules }],
      ...chains.map((name): [string, Chain] => [name, { rules: ['accept'] }]),
    ]),
    sets: new Map(),
    elements: new Map(),
  };
}

describe('an nftables table', { skip: whyNoMachine ?? false, timeout: 60_000 }, () => {
  let machine: TestMachine;
  let table: NftTable;
  let said: string[] = [];
  const log: Log = {
    ...silentLog,
    info: (message) => said.push(message),
    error: (message) => said.push(message),
  };

  const listed = (): Promise<string> =>
    machine.run('nft', ['list', 'table', 'inet', 'stead']).catch(() => '');
  /** Waits until what the kernel has is so. */
  const until = async (satisfies: (text: string) => boolean): Promise<void> => {
    while (!satisfies(await listed()));
  };
  const newest = (program: string): number =>
    machine.started.findLast((each) => each.program.startsWith(program))?.pid ?? 0;

  before(async () => {
    machine = await makeMachine();
  });
  after(() => machine?.end());
  beforeEach(() => {
    said = [];
    table = new NftTable(
      { ...machine, log, random: { next: () => 0.5, uuid: () => '' } },
      { table: 'stead', owner: 'the "test"' },
    );
  });
  afterEach(async () => {
    await table.close();
    await machine.run('nft', ['flush', 'ruleset']);
  });

  it('has what all parts want; of one that changes, what it wanted before goes', async () => {
    table.set('one', part(['tcp dport 1 drop']));
    table.set('two', {
      chains: new Map([['of-two', { rules: ['accept'] }]]),
      sets: new Map(),
      elements: new Map(),
    });
    await table.settled();
    table.set('one', part(['tcp dport 2 drop']));
    await table.settled();
    const text = await listed();
    assert.match(text, /tcp dport 2 drop/);
    assert.doesNotMatch(text, /tcp dport 1 drop/);
    assert.match(text, /chain of-two/);
  });

  it('loses chains that nobody wants, after a while', async () => {
    table.set('one', part([], ['x', 'y']));
    await table.settled();
    table.set('one', part([], ['y']));
    await until((text) => !text.includes('chain x'));
    assert.deepEqual((await readExisting(machine.run, 'stead')).chains, ['y']);
  });

  it('is not touched before all have spoken who were named: what an earlier process left is in force until then', async () => {
    table.set('one', part(['tcp dport 1 drop']));
    await table.settled();
    await table.close();
    table = new NftTable(
      { ...machine, log, random: { next: () => 0.5, uuid: () => '' } },
      { table: 'stead', owner: 'the "test"' },
      ['one', 'two'],
    );
    table.set('two', {
      chains: new Map([['x', { rules: ['accept'] }]]),
      sets: new Map(),
      elements: new Map(),
    });
    const before = await listed();
    let isWritten = false;
    const written = table.settled().then(() => {
      isWritten = true;
    });
    // More than a turn, in which it would have begun.
    assert.equal(await listed(), before);
    assert.equal(isWritten, false);
    table.set('one', part(['tcp dport 2 drop']));
    await written;
    assert.match(await listed(), /chain x \{/);
  });

  it('is in force when it has been written, not when that has failed', async () => {
    table.set('one', part(['no such rule']));
    let isInForce = false;
    const inForce = table.inForce().then(() => {
      isInForce = true;
    });
    await table.settled();
    assert.ok(said.includes('the nftables table cannot be written'));
    assert.equal(isInForce, false);
    table.set('one', part(['tcp dport 3 drop']));
    await inForce;
    assert.match(await listed(), /tcp dport 3 drop/);
    await table.inForce();
  });

  it('keeps what is in force when a change is refused, and goes on with the next', async () => {
    table.set('one', part(['tcp dport 1 drop']));
    await table.settled();
    table.set('one', part(['tcp dport 2 drop', 'no such rule']));
    while (!said.includes('the nftables table cannot be written')) await listed();
    assert.match(await listed(), /tcp dport 1 drop/);
    table.set('one', part(['tcp dport 3 drop']));
    await table.settled();
    assert.match(await listed(), /tcp dport 3 drop/);
  });

  it('writes all that is wanted in one turn as one transaction, and long ones by a process of their own', async () => {
    table.set('one', part([]));
    await table.settled();
    const many = Array.from({ length: 2_000 }, (_, number) => `chain-${number}`);
    for (let count = 1; count <= many.length; count += 100) table.set('one', part([], many.slice(0, count)));
    table.set('one', part(['tcp dport 3 drop'], many));
    await table.settled();
    assert.equal((await readExisting(machine.run, 'stead')).chains.length, 2_000);
    assert.match(await listed(), /tcp dport 3 drop/);
  });

  it('goes on when its nft has been killed', async () => {
    table.set('one', part(['tcp dport 1 drop']));
    await table.settled();
    process.kill(newest('nft -i'), 'SIGKILL');
    table.set('one', part(['tcp dport 2 drop']));
    await table.settled();
    assert.match(await listed(), /tcp dport 2 drop/);
  });

  it('heals what was changed while nobody looked', async () => {
    table.set('one', part(['tcp dport 1 drop']));
    await table.settled();
    process.kill(newest('nft --numeric monitor'), 'SIGKILL');
    await machine.run('nft', ['flush', 'chain', 'inet', 'stead', CHAIN]);
    await until((text) => text.includes('tcp dport 1 drop'));
  });

  it('heals when somebody removes it, adds to it, or empties it', async () => {
    table.set('one', part(['tcp dport 1 drop']));
    await table.settled();
    const restored = (text: string): boolean =>
      text.includes('tcp dport 1 drop') && !text.includes('dport 9');
    for (const change of [
      'delete table inet stead',
      `add rule inet stead ${CHAIN} tcp dport 9 drop`,
      'flush ruleset',
    ]) {
      await machine.run('nft', change.split(' '));
      await until(restored);
    }
  });

  it('is not written for what others do elsewhere', async () => {
    table.set('one', part(['tcp dport 1 drop']));
    await table.settled();
    await machine.run('nft', ['add', 'table', 'inet', 'stead1']);
    await machine.run('nft', ['add', 'chain', 'inet', 'stead1', 'x']);
    table.set('one', part(['tcp dport 2 drop']));
    await table.settled();
    assert.deepEqual(said, []);
  });

  it('is taken over from an earlier process as it is found', async () => {
    await machine.run('nft', ['add', 'table', 'inet', 'stead']);
    await machine.run('nft', ['-f', '-'], {
      input: `add chain inet stead ${CHAIN} { type filter hook forward priority 5 ; }
add chain inet stead left
add map inet stead old { type mark : verdict ; }
add element inet stead old { 1 : goto left }
add rule inet stead ${CHAIN} meta mark vmap @old
`,
    });
    table.set('one', part(['tcp dport 1 drop']));
    await until((text) => !text.includes('left'));
    assert.match(await listed(), /hook input[\s\S]*tcp dport 1 drop/);
    assert.doesNotMatch(await listed(), /old|forward/);
  });
});
