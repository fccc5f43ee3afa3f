import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { askersOf } from './askers.ts';

describe('who may ask', () => {
  it('is a pod, or this machine by any of its addresses, and nobody else', async () => {
    const clock = new VirtualClock();
    const own = ['192.0.2.7', 'fd00::7'];
    const mayAsk = askersOf(['10.244.0.0/20'], clock, () => own);
    for (const address of ['10.244.0.1', '10.244.15.255', '127.0.0.1', '127.0.0.53', '::1', ...own])
      assert.equal(mayAsk(address), true, address);
    for (const address of [
      '10.244.16.0',
      '10.243.255.255',
      '192.0.2.8',
      '8.8.8.8',
      'fd00::8',
      '',
      '::ffff:10.244.0.1',
    ])
      assert.equal(mayAsk(address), false, address);
    own.push('192.0.2.8');
    await clock.advance(1_000);
    assert.equal(mayAsk('192.0.2.8'), true, 'an address that has come since');
  });

  it('without pods is this machine', () => {
    const mayAsk = askersOf([], new VirtualClock(), () => []);
    assert.deepEqual([mayAsk('127.0.0.1'), mayAsk('10.244.0.2')], [true, false]);
  });
});
