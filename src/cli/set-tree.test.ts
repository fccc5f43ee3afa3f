import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PersistentVolumeClaim, Pod, StatefulSet } from '../api/generated/types.ts';
import type { KubeObject, Stored } from '../api/objects.ts';
import { present } from '../base/present.ts';
import { drawSets, viewSets } from './set-tree.ts';

function stored<T extends KubeObject>(object: T): Stored<T> {
  const meta = {
    uid: `uid-${object.metadata.name}`,
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    name: '',
  };
  return { ...object, metadata: { namespace: 'default', ...meta, ...object.metadata } };
}

const set = stored<StatefulSet>({
  metadata: { name: 'web' },
  spec: { serviceName: 'nginx', replicas: 3, selector: {}, template: { spec: { containers: [] } } },
  status: {
    replicas: 2,
    readyReplicas: 1,
    conditions: [{ type: 'Progressing', status: 'True', message: 'web-2 waits for web-1 to be Ready' }],
  },
});

function pod(name: string, status?: Pod['status']): Stored<Pod> {
  const made: Pod = present({
    metadata: {
      name,
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'uid-web', controller: true },
      ],
    },
    spec: {
      nodeName: 'vm',
      containers: [{ name: 'nginx' }],
      volumes: [{ name: 'www', persistentVolumeClaim: { claimName: `www-${name}` } }],
    },
    status,
  });
  return stored(made);
}

const claim = stored<PersistentVolumeClaim>({
  metadata: { name: 'www-web-0' },
  spec: { volumeName: 'pvc-1' },
  status: { phase: 'Bound', capacity: { storage: '200Mi' } },
});

describe('the tree of stead status', () => {
  it('shows sets, pods in order, claims and names', async () => {
    const pods = [
      pod('web-1', { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'True' }] }),
      pod('web-0', { phase: 'Running', podIP: '10.0.0.2', conditions: [{ type: 'Ready', status: 'True' }] }),
      { ...pod('other', {}), metadata: { ...pod('other', {}).metadata, ownerReferences: [] } },
    ];
    const view = await viewSets({ sets: [set], pods, claims: [claim] }, 'cluster.local', async (name) =>
      name.startsWith('web-1') ? [] : ['10.0.0.2'],
    );
    const lines = drawSets(view);
    assert.equal(lines[0], 'statefulset default/web  1/3 ready  web-2 waits for web-1 to be Ready');
    assert.deepEqual(lines.slice(1, 4), [
      '├─ pod web-0  Ready  10.0.0.2  on vm',
      '│  ├─ claim www-web-0  Bound  200Mi  pvc-1',
      '│  └─ web-0.nginx.default.svc.cluster.local → 10.0.0.2',
    ]);
    assert.match(lines[4] ?? '', /^├─ pod web-1 {2}Pending {2}- {2}on vm {2}waits: /);
    assert.deepEqual(lines.slice(5), [
      '│  ├─ claim www-web-1  Missing',
      '│  └─ web-1.nginx.default.svc.cluster.local → no answer',
      '└─ nginx.default.svc.cluster.local → 10.0.0.2',
    ]);
  });

  it('says what to do when there are none', () => {
    assert.match(drawSets([])[0] ?? '', /stead up -f FILE/);
  });
});
