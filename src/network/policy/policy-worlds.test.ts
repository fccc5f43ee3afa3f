// Random policies over a real kernel: nft takes every change of them, and datagrams between pods go where the documentation
// says, and nowhere else.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { type Log, silentLog } from '../../base/log.ts';
import { NftTable } from '../nftables/table.ts';
import { makeMachine, type TestMachine, whyNoMachine } from '../test-machine.ts';
import { type End, isAllowed } from './test-evaluator.ts';
import { begin, type Talk } from './test-talk.ts';
import { NUMBERS, newBook, PORTS, step, take, World } from './test-worlds.ts';

const WORLDS = 25;
const SEED = 1;

/**
 * Answers datagrams at all ports, and asks others when it is told whom, and who of them is to answer: it says who did, a while
 * after the last of those.
 */
const PROBER = `
const { createSocket } = require('node:dgram');
const ports = JSON.parse(process.argv[1]);
let open = 0;
for (const port of ports) {
  const socket = createSocket('udp6');
  socket.on('message', (data, from) => socket.send(data, from.port, from.address));
  socket.bind(port, '::', () => ++open === ports.length && console.log('up'));
}
require('node:readline').createInterface(process.stdin).on('line', (line) => {
  const questions = JSON.parse(line);
  const answered = questions.map(() => false);
  let missing = questions.filter(({ expected }) => expected).length;
  const end = () => {
    for (const socket of sockets) socket.close();
    console.log(JSON.stringify(answered));
  };
  let timer = setTimeout(end, missing > 0 ? 10000 : 300);
  const sockets = questions.map(({ host, port, expected }, index) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.on('error', () => {});
    socket.on('message', () => {
      answered[index] = true;
      if (!expected || --missing > 0) return;
      clearTimeout(timer);
      timer = setTimeout(end, 300);
    });
    socket.connect(port, host, () => socket.send('?'));
    return socket;
  });
});
`;

interface Question {
  host: string;
  port: number;
  expected: boolean;
}

describe('random policies on a kernel', { skip: whyNoMachine ?? false, timeout: 180_000 }, () => {
  let machine: TestMachine;
  let table: NftTable;
  const probers = new Map<number, Talk>();
  const complaints: string[] = [];
  const complain = (message: string): void => void complaints.push(message);
  const log: Log = { ...silentLog, warn: complain, error: complain };

  before(async () => {
    machine = await makeMachine();
    for (const number of NUMBERS) {
      const prober = begin(await machine.addPod(`pod-${number}`, number), PROBER, JSON.stringify(PORTS));
      probers.set(number, prober);
      assert.equal(await prober.line(), 'up');
    }
    table = new NftTable(
      { ...machine, log, random: { next: () => 0.5, uuid: () => '' } },
      { table: 'stead', owner: 'test' },
      ['policies'],
    );
  });
  after(async () => {
    for (const prober of probers.values()) await prober[Symbol.asyncDispose]();
    await table?.close();
    await machine?.end();
  });

  it('let through what the documentation says, and nothing else, while they come and go', async () => {
    const count = { allowed: 0, denied: 0 };
    const world = new World();
    const book = newBook();
    // One world after the other, on what the last one has left: each step is a change that nft takes.
    const steps = fc.sample(fc.array(step, { minLength: 10, maxLength: 20 }), {
      numRuns: WORLDS,
      seed: SEED,
    });
    for (const changes of steps) {
      for (const change of changes) {
        world.take(change);
        take(book, change);
        table.set('policies', book.ruleset());
        await table.settled();
      }
      assert.deepEqual(complaints, []);
      await machine.run('conntrack', ['-F']).catch(() => '');
      const asked = NUMBERS.map((number) => questionsFrom(number));
      const answered = await Promise.all(
        NUMBERS.map(async (number, index): Promise<boolean[]> => {
          const said = await probers.get(number)?.say(JSON.stringify(asked[index]));
          return JSON.parse(said ?? '[]');
        }),
      );
      for (const [index, questions] of asked.entries()) {
        for (const [at, { host, port, expected }] of questions.entries()) {
          count[expected ? 'allowed' : 'denied']++;
          const what = `pod-${NUMBERS[index]} to ${host} ${port} after ${JSON.stringify(changes)}`;
          assert.equal(answered[index]?.[at], expected, what);
        }
      }
    }
    assert.ok(count.allowed > 200 && count.denied > 200, JSON.stringify(count));

    function questionsFrom(number: number): Question[] {
      const known = world.ends;
      const isOf = ({ address }: End): boolean => /[.:](\d)$/.exec(address)?.[1] === `${number}`;
      return known.filter(isOf).flatMap((from) =>
        known
          .filter((to) => to.address.includes(':') === from.address.includes(':') && !isOf(to))
          .flatMap((to) =>
            PORTS.map((port) => ({
              host: to.address,
              port,
              expected: isAllowed(world.cluster, from, to, port, 'UDP'),
            })),
          ),
      );
    }
  });
});
