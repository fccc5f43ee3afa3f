import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Loose, present } from '../../base/present.ts';
import { rootCause, sentenceOf } from '../between/waiting.ts';
import type { ContainerStatus, PersistentVolumeClaim, Pod, PodStatus } from '../generated/types.ts';
import { whyNotReady } from './pod.ts';

function podWith(
  status: PodStatus,
  spec: Partial<Loose<Pod['spec']>> = {},
  metadata: Pod['metadata'] = {},
): Pod {
  return {
    metadata: { name: 'web-0', namespace: 'default', ...metadata },
    spec: present({ containers: [{ name: 'app', image: 'i' }], nodeName: 'n1', ...spec }),
    status,
  };
}

const container = (more: Partial<ContainerStatus>): ContainerStatus[] => [
  { name: 'app', image: 'i', imageID: '', ready: false, restartCount: 0, ...more },
];

function said(pod: Pod, claims?: (name: string) => PersistentVolumeClaim | undefined): string {
  const because = whyNotReady(pod, claims);
  return because ? `${rootCause(because).reason}: ${sentenceOf(because)}` : 'Ready';
}

test('a ready pod has no reason', () => {
  assert.equal(said(podWith({ phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] })), 'Ready');
});

test('scheduling: the scheduler speaks first, then its gates, then nobody', () => {
  const message = '0/3 nodes are available: 3 Insufficient memory.';
  const unschedulable = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
  assert.equal(
    said(podWith({ phase: 'Pending', conditions: [unschedulable] }, { nodeName: undefined })),
    `Unschedulable: ${message}`,
  );
  const gated = podWith({ phase: 'Pending' }, { nodeName: undefined, schedulingGates: [{ name: 'quota' }] });
  assert.equal(said(gated), 'SchedulingGated: scheduling is gated by quota');
  assert.match(said(podWith({ phase: 'Pending' }, { nodeName: undefined })), /^NotScheduled/);
});

test('claims: a missing one and one that is not bound are links of the chain', () => {
  const volumes = [{ name: 'www', persistentVolumeClaim: { claimName: 'www-web-0' } }];
  const unplaced = podWith({ phase: 'Pending' }, { nodeName: undefined, volumes });
  assert.equal(
    said(unplaced, () => undefined),
    'ClaimMissing: web-0 waits for claim www-web-0 to be created: it does not exist',
  );
  const claim: PersistentVolumeClaim = {
    metadata: { name: 'www-web-0' },
    spec: {},
    status: {
      phase: 'Pending',
      conditions: [
        { type: 'Provisioning', status: 'False', reason: 'NoRoom', message: 'no node has 200Gi free' },
      ],
    },
  };
  const placed = podWith({ phase: 'Pending' }, { volumes });
  assert.equal(
    said(placed, () => claim),
    'NoRoom: web-0 waits for claim www-web-0 to be Bound: no node has 200Gi free',
  );
});

test('containers: images, crash loops, init containers, probes', () => {
  const pulling = container({
    state: { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "i"' } },
  });
  assert.equal(
    said(podWith({ phase: 'Pending', containerStatuses: pulling })),
    'ImagePullBackOff: container app: ImagePullBackOff: Back-off pulling image "i"',
  );
  const crashing = container({
    state: { waiting: { reason: 'CrashLoopBackOff' } },
    lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
  });
  assert.equal(
    said(podWith({ phase: 'Running', containerStatuses: crashing })),
    'CrashLoopBackOff: container app: CrashLoopBackOff, last ended with exit code 137 (OOMKilled)',
  );
  const initial = podWith({
    phase: 'Pending',
    initContainerStatuses: container({ name: 'setup', state: { running: {} }, started: true }),
  });
  assert.match(said(initial), /init container setup/);
  const running = container({ state: { running: {} }, started: true });
  const probed = { containers: [{ name: 'app', image: 'i', readinessProbe: { tcpSocket: { port: 5432 } } }] };
  assert.equal(
    said(podWith({ phase: 'Running', containerStatuses: running }, probed)),
    'ReadinessProbeFailed: container app runs, but its readiness probe (TCP connect to :5432) has not succeeded',
  );
  const message = 'containers with unready status: [app]; readiness probe failed: HTTP 503';
  const told = podWith(
    {
      phase: 'Running',
      containerStatuses: running,
      conditions: [{ type: 'ContainersReady', status: 'False', message }],
    },
    probed,
  );
  assert.equal(said(told), 'ReadinessProbeFailed: readiness probe failed: HTTP 503');
  const evicted = podWith({
    phase: 'Failed',
    reason: 'Evicted',
    message: 'The node was low on resource: ephemeral-storage. ',
    containerStatuses: container({ state: { terminated: { exitCode: 137 } } }),
  });
  assert.equal(said(evicted), 'Evicted: it has failed: The node was low on resource: ephemeral-storage.');
});

test('going: grace, finalizers, a lost node', () => {
  const going = { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 30 };
  assert.equal(
    said(podWith({ phase: 'Running' }, {}, going)),
    'PodTerminating: it is terminating, grace period 30 s',
  );
  assert.match(
    said(podWith({ phase: 'Running' }, {}, { ...going, finalizers: ['example.com/keep'] })),
    /held by finalizer example.com\/keep/,
  );
  const silent = [{ type: 'Ready', status: 'False', reason: 'NodeNotReady' }];
  assert.match(said(podWith({ phase: 'Running', conditions: silent }, {}, going)), /^NodeLost: .*node n1/);
  assert.match(
    said(podWith({ phase: 'Running', reason: 'NodeLost' }, {}, going)),
    /^NodeLost: .*node n1 does not answer/,
  );
});

test('readiness gates, when the containers are ready', () => {
  const ready = container({ ready: true, state: { running: {} } });
  const gated = podWith(
    { phase: 'Running', containerStatuses: ready },
    { readinessGates: [{ conditionType: 'example.com/lb' }] },
  );
  assert.equal(said(gated), 'ReadinessGatesNotReady: its readiness gate example.com/lb is not True');
});
