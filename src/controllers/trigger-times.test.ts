import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Pod, Service } from '../api/generated/types.ts';
import type { Stored } from '../api/objects.ts';
import { TriggerTimes } from './trigger-times.ts';

const at = (second: number): string => `2026-01-01T00:00:${`${second}`.padStart(2, '0')}Z`;
const key = { namespace: 'default', name: 'web' };
const meta = { ...key, uid: 'u', resourceVersion: '1', creationTimestamp: at(1) };
const service: Stored<Service> = { metadata: meta, spec: {} };
const pod = (name: string, readySince: number): Stored<Pod> => ({
  metadata: { ...meta, name },
  spec: { containers: [] },
  status: { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: at(readySince) }] },
});

describe('the time of a change', () => {
  it('is that of the Service at the first look, then the earliest of what has changed since the last one', () => {
    const times = new TriggerTimes();
    assert.equal(times.of(key, service, [pod('a', 5)]), at(1));
    assert.equal(times.of(key, service, [pod('a', 5)]), undefined);
    assert.equal(times.of(key, service, [pod('a', 9), pod('b', 7), pod('c', 8)]), at(7));
    assert.equal(times.of(key, service, [pod('a', 9), pod('b', 7)]), undefined);
    times.forget(key);
    assert.equal(times.of(key, service, []), at(1));
  });
});
