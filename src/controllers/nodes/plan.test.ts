import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Node, Pod, Taint, Toleration } from '../../api/generated/types.ts';
import { evictionTimeMs, wantedTaints } from './plan.ts';

const NOW = Date.UTC(2026, 0, 1);
const node = (ready: string, taints: Taint[] = [], unschedulable = false): Node => ({
  metadata: { name: 'one' },
  spec: { taints, unschedulable },
  status: { conditions: [{ type: 'Ready', status: ready }] },
});
const keys = (taints: Taint[] | undefined): string[] | undefined =>
  taints?.map(({ key, effect }) => `${key}:${effect}`);

describe('wantedTaints', () => {
  it('follows the Ready condition', () => {
    assert.equal(wantedTaints(node('True'), NOW), undefined);
    assert.deepEqual(keys(wantedTaints(node('False'), NOW)), [
      'node.kubernetes.io/not-ready:NoSchedule',
      'node.kubernetes.io/not-ready:NoExecute',
    ]);
    const silent = wantedTaints(node('Unknown', wantedTaints(node('False'), NOW)), NOW);
    assert.deepEqual(keys(silent), [
      'node.kubernetes.io/unreachable:NoSchedule',
      'node.kubernetes.io/unreachable:NoExecute',
    ]);
    assert.deepEqual(wantedTaints(node('True', silent), NOW), []);
    assert.equal(wantedTaints(node('Unknown', silent), NOW + 1000), undefined);
  });

  it('follows the conditions of what runs short', () => {
    const short = node('True');
    short.status?.conditions?.push({ type: 'DiskPressure', status: 'True' });
    const taints = wantedTaints(short, NOW);
    assert.deepEqual(keys(taints), ['node.kubernetes.io/disk-pressure:NoSchedule']);
    assert.deepEqual(wantedTaints(node('True', taints), NOW), []);
  });

  it('leaves the taints of others alone', () => {
    const own = { key: 'dedicated', value: 'db', effect: 'NoExecute' };
    assert.equal(wantedTaints(node('True', [own]), NOW), undefined);
    assert.deepEqual(keys(wantedTaints(node('True', [own], true), NOW)), [
      'dedicated:NoExecute',
      'node.kubernetes.io/unschedulable:NoSchedule',
    ]);
  });
});

describe('evictionTimeMs', () => {
  const taint: Taint = { key: 'x', effect: 'NoExecute', timeAdded: new Date(NOW).toISOString() };
  const at = (tolerations: Toleration[], taints = [taint]): number | undefined => {
    const pod: Pod = { metadata: { name: 'p' }, spec: { containers: [], tolerations } };
    const time = evictionTimeMs(pod, node('True', taints), NOW);
    return time === undefined ? undefined : (time - NOW) / 1000;
  };

  it('is at once without toleration, never with one, or after its seconds', () => {
    assert.equal(at([]), 0);
    assert.equal(at([{ operator: 'Exists' }]), undefined);
    assert.equal(at([{ key: 'x', operator: 'Exists', tolerationSeconds: 30 }]), 30);
    assert.equal(
      at([
        { key: 'x', operator: 'Exists', tolerationSeconds: 30 },
        { operator: 'Exists', tolerationSeconds: 10 },
      ]),
      10,
    );
    assert.equal(at([], [{ key: 'x', effect: 'NoSchedule' }]), undefined);
  });
});
