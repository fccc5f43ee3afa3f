import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { directClient } from './direct.ts';
import { patientClient, Return } from './patient.ts';
import { FakeApi, notes, user } from './test-api.ts';
import { UnreachableError } from './unreachable-error.ts';

const broken = (code: string): UnreachableError =>
  new UnreachableError('https://here', Object.assign(new Error(code), { code }));

function patient() {
  const api = new FakeApi();
  const clock = new VirtualClock();
  const back = new Return();
  const stop = new AbortController();
  const client = patientClient(directClient(api, user), clock, back, stop.signal);
  return { api, clock, back, stop, client };
}

describe('a patient client', () => {
  it('waits for an API that is away, seldomer and seldomer, and asks at once when it is back', async () => {
    const { api, back, client, clock } = patient();
    let isAway = true;
    api.intercept = () => {
      if (isAway) throw broken('ECONNREFUSED');
    };
    const made = client.create(notes, { metadata: { name: 'one', namespace: 'a' } });
    for (let second = 0; second < 60; second++) await clock.advance(1000);
    assert.ok(api.requests.length > 20 && api.requests.length < 50, `asked ${api.requests.length} times`);
    isAway = false;
    back.announce();
    assert.equal((await made).metadata.name, 'one');
    assert.equal(clock.pending, 0);
  });

  it('tries nothing again of which nobody knows what became', async () => {
    const { api, client } = patient();
    api.intercept = () => {
      throw broken('ECONNRESET');
    };
    await assert.rejects(client.get(notes, { namespace: 'a', name: 'one' }), /ECONNRESET/);
    assert.equal(api.requests.length, 1);
  });

  it('gives up when it is to end', async () => {
    const { api, client, clock, stop } = patient();
    api.intercept = () => {
      throw broken('ECONNREFUSED');
    };
    const listed = client.list(notes);
    await clock.settle();
    stop.abort();
    await assert.rejects(listed, /cannot reach the API at https:\/\/here/);
    assert.equal(clock.pending, 0);
  });
});
