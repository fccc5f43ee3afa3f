// Whose an address is when several pods speak of it.
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { Addresses } from './addresses.ts';
import { podOf } from './test-objects.ts';

describe('an address', () => {
  let addresses: Addresses;
  beforeEach(() => {
    addresses = new Addresses();
  });

  const pod = (name: string, ips: string[], change: Partial<Stored<Pod>['metadata']> = {}): Stored<Pod> => {
    const made = podOf({ name, addresses: ips });
    return { ...made, metadata: { ...made.metadata, uid: name, ...change } };
  };
  const owners = (): string[] => ['a', 'b'].filter((uid) => addresses.of(uid).length > 0);

  it('is whose status says so, until the pod is over or gone', () => {
    assert.deepEqual(addresses.update(pod('a', ['10.0.0.1'])), []);
    assert.deepEqual(addresses.of('a'), ['10.0.0.1']);
    const over = pod('a', ['10.0.0.1']);
    addresses.update({ ...over, status: { ...over.status, phase: 'Succeeded' } });
    assert.deepEqual(addresses.of('a'), []);
    addresses.update(pod('a', ['10.0.0.2']));
    addresses.remove('a');
    assert.deepEqual(addresses.of('a'), []);
  });

  it('is nobody’s where the pod has the machine’s network', () => {
    const host = pod('a', ['192.0.2.1']);
    addresses.update({ ...host, spec: { ...host.spec, hostNetwork: true } });
    assert.deepEqual(addresses.of('a'), []);
  });

  it('is whose the agent says it is, also before and after the status says something', () => {
    addresses.tell('a', ['10.0.0.1', 'fd00::1']);
    addresses.update(pod('a', []));
    assert.deepEqual(addresses.of('a'), ['10.0.0.1', 'fd00::1']);
    addresses.update(pod('a', ['10.0.0.9']));
    assert.deepEqual(addresses.of('a'), ['10.0.0.1', 'fd00::1']);
    addresses.tell('a', ['10.0.0.2']);
    addresses.update(pod('a', ['10.0.0.1']));
    assert.deepEqual(addresses.of('a'), ['10.0.0.2']);
  });

  it('is whose the agent has named last; who has lost it is told of', () => {
    addresses.tell('a', ['10.0.0.1']);
    addresses.update(pod('a', []));
    addresses.tell('b', ['10.0.0.1']);
    assert.deepEqual(addresses.update(pod('b', [])), ['a']);
    assert.deepEqual(owners(), ['b']);
    assert.deepEqual(addresses.remove('b'), ['a']);
    assert.deepEqual(owners(), ['a']);
  });

  it('is, where only the API speaks, of a pod that stays before one that goes, and of the younger', () => {
    addresses.update(pod('a', ['10.0.0.1'], { deletionTimestamp: '2026-01-02T00:00:00Z' }));
    addresses.update(pod('b', ['10.0.0.1'], { creationTimestamp: '2025-01-01T00:00:00Z' }));
    assert.deepEqual(owners(), ['b']);
    addresses.update(pod('a', ['10.0.0.1']));
    assert.deepEqual(owners(), ['a']);
  });

  it('of a pod that never came is forgotten', () => {
    addresses.tell('a', ['10.0.0.1']);
    addresses.forget('a');
    addresses.update(pod('a', []));
    assert.deepEqual(addresses.of('a'), []);
  });
});
