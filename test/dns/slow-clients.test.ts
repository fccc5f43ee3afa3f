// Clients over TCP that are slow, silent or many: they hold nobody up, and nothing grows with them.
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import * as dnsPacket from 'dns-packet';
import { eventually } from '../kit/stead.ts';
import { DOMAIN, furnish, startWorld, type World } from './world.ts';

const question = dnsPacket.streamEncode({
  type: 'query',
  id: 7,
  flags: dnsPacket.RECURSION_DESIRED,
  questions: [{ type: 'A', name: `many.${DOMAIN}` }],
});

describe('slow clients', () => {
  let world: World;
  const open: Socket[] = [];
  const dial = async (): Promise<Socket> => {
    const socket = connect(world.dns.port, '127.0.0.1');
    socket.on('error', () => {});
    open.push(socket);
    await new Promise((connected) => socket.once('connect', connected));
    return socket;
  };
  const isAnswered = (socket: Socket): Promise<boolean> =>
    new Promise((told) => {
      socket.once('data', () => told(true));
      socket.once('close', () => told(false));
      socket.write(question);
    });
  before(async () => {
    world = await startWorld();
    await furnish(world);
  });
  after(async () => {
    for (const socket of open) socket.destroy();
    await world.stop();
  });

  it('that stop in the middle of a question hold nobody up, and are let go', async () => {
    const halves = await Promise.all(Array.from({ length: 20 }, dial));
    let closed = 0;
    for (const socket of halves) {
      socket.on('close', () => closed++);
      socket.write(question.subarray(0, 9));
    }
    assert.equal(await isAnswered(await dial()), true);
    assert.equal(closed, 0);
    await world.cluster.clock.advance(120_000);
    await eventually(
      'all have been let go',
      async () => closed,
      (count) => count === 20,
    );
  });

  it('that ask and do not read are not read from either', async () => {
    const socket = await dial();
    socket.pause();
    const many = Buffer.concat(Array.from({ length: 1_000 }, () => question));
    // A round of these is 1.5 MB of answers; what is not read back is soon not taken any more.
    let isHeld = false;
    for (let round = 0; round < 200 && !isHeld; round++) {
      isHeld = await new Promise<boolean>((told) => {
        const taken = socket.write(many);
        if (taken) told(false);
        else {
          const cancel = setImmediateTimes(200, () => told(true));
          socket.once('drain', () => {
            cancel();
            told(false);
          });
        }
      });
    }
    assert.ok(isHeld, 'questions are taken for ever, though nobody reads the answers');
    assert.equal(await isAnswered(await dial()), true);
  });

  it('that come in numbers are ended beyond their share', async () => {
    const sockets = await Promise.all(Array.from({ length: 64 }, dial));
    let closed = 0;
    for (const socket of sockets) socket.on('close', () => closed++);
    await eventually(
      'those beyond the share are ended',
      async () => closed,
      (count) => count >= 32,
    );
  });
});

/** Calls `action` after so many turns of the event loop, each of which lets the sockets work. */
function setImmediateTimes(turns: number, action: () => void): () => void {
  let left = turns;
  let handle = setImmediate(function next() {
    left--;
    if (left === 0) action();
    else handle = setImmediate(next);
  });
  return () => clearImmediate(handle);
}
