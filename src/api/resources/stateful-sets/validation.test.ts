import assert from 'node:assert/strict';
import test from 'node:test';
import { type Changes, created, refusals, updateRefusals } from '../../validation/test-manifests.ts';
import { statefulSets } from './definition.ts';

const WEB = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: "nginx"
  replicas: 2
  selector: {matchLabels: {app: nginx}}
  template:
    metadata: {labels: {app: nginx}}
    spec:
      containers:
      - name: nginx
        image: k8s.gcr.io/nginx-slim:0.8
        ports: [{containerPort: 80, name: web}]
        volumeMounts: [{name: www, mountPath: /usr/share/nginx/html}]
  volumeClaimTemplates:
  - metadata: {name: www}
    spec:
      storageClassName: storage-local
      accessModes: [ReadWriteOnce]
      resources: {requests: {storage: 200Mi}}
`;

const accepted: readonly [string, Changes][] = [
  ['as the manual has it', {}],
  ['no service', { 'spec.serviceName': undefined }],
  ['no pods', { 'spec.replicas': 0 }],
  ['Parallel', { 'spec.podManagementPolicy': 'Parallel' }],
  ['OnDelete', { 'spec.updateStrategy': { type: 'OnDelete' } }],
  ['Recreate', { 'spec.updateStrategy': { type: 'Recreate' } }],
  [
    'partition',
    {
      'spec.updateStrategy': {
        type: 'RollingUpdate',
        rollingUpdate: { partition: 1, maxUnavailable: '30%' },
      },
    },
  ],
];
for (const [name, changes] of accepted) {
  test(`accepted: ${name}`, () => assert.deepEqual(refusals(statefulSets, WEB, changes), []));
}

const rolling = (rollingUpdate: unknown): Changes => ({
  'spec.updateStrategy': { type: 'RollingUpdate', rollingUpdate },
});
const refused: readonly [string, Changes, string[]][] = [
  [
    'selector that does not match',
    { 'spec.selector.matchLabels.app': 'apache' },
    [
      'spec.template.metadata.labels: Invalid value: {"app":"nginx"}: `selector` does not match template `labels`',
    ],
  ],
  ['no selector', { 'spec.selector': undefined }, ['spec.selector: Required value']],
  [
    'empty selector',
    { 'spec.selector': {} },
    ['spec.selector: Invalid value: {}: empty selector is invalid for statefulset'],
  ],
  [
    'negative replicas',
    { 'spec.replicas': -1 },
    ['spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
  ],
  [
    'policy',
    { 'spec.podManagementPolicy': 'Random' },
    ["spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'"],
  ],
  [
    'rollingUpdate with OnDelete',
    { 'spec.updateStrategy': { type: 'OnDelete', rollingUpdate: { partition: 1 } } },
    [
      'spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1}: only allowed for updateStrategy ' +
        "'RollingUpdate'",
    ],
  ],
  [
    'partition',
    rolling({ partition: -1 }),
    ['spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0'],
  ],
  [
    'maxUnavailable of none',
    rolling({ maxUnavailable: '0%' }),
    ['spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "0%": cannot be 0'],
  ],
  [
    'maxUnavailable above all',
    rolling({ maxUnavailable: '101%' }),
    [
      'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
    ],
  ],
  [
    'restart policy',
    { 'spec.template.spec.restartPolicy': 'Never' },
    ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
  ],
  [
    'deadline',
    { 'spec.template.spec.activeDeadlineSeconds': 5 },
    [
      'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in StatefulSet is not Supported',
    ],
  ],
  [
    'a mount of no volume',
    { 'spec.volumeClaimTemplates.0.metadata.name': 'data' },
    ['spec.template.spec.containers[0].volumeMounts[0].name: Not found: "www"'],
  ],
  [
    'claim without a size',
    { 'spec.volumeClaimTemplates.0.spec.resources': {} },
    ['spec.volumeClaimTemplates[0].spec.resources[storage]: Required value'],
  ],
  [
    'claim without a mode',
    { 'spec.volumeClaimTemplates.0.spec.accessModes': [] },
    ['spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required'],
  ],
  [
    'retention',
    { 'spec.persistentVolumeClaimRetentionPolicy': { whenDeleted: 'Keep', whenScaled: 'Delete' } },
    [
      'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Keep": supported values: "Retain", ' +
        '"Delete"',
    ],
  ],
];
for (const [name, changes, expected] of refused) {
  test(`refused: ${name}`, () => assert.deepEqual(refusals(statefulSets, WEB, changes), expected));
}

test('the name of its service is a label', () => {
  assert.deepEqual(refusals(statefulSets, WEB, { 'spec.serviceName': 'a.b' }), [
    'spec.serviceName: Invalid value: "a.b": must not contain dots',
  ]);
});

test('names', () => {
  assert.deepEqual(statefulSets.validateName?.('a'.repeat(52)), []);
  assert.match(`${statefulSets.validateName?.('a'.repeat(53))}`, /^must be no more than 52 characters: /);
  assert.deepEqual(statefulSets.validateName?.('my.set'), ['must not contain dots']);
});

test('a new set has no pods, whatever status came with it', () => {
  const set = created(statefulSets, WEB, { status: { replicas: 9, readyReplicas: 9 } });
  assert.deepEqual(set.status, { replicas: 0, availableReplicas: 0 });
});

const FIXED =
  "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', " +
  "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
const CLAIM_SIZE = 'spec.volumeClaimTemplates.0.spec.resources.requests.storage';
const updates: readonly [string, Changes, string[]][] = [
  [
    'everything that may change',
    {
      'spec.replicas': 3,
      'spec.ordinals': { start: 1 },
      'spec.template.spec.containers.0.image': 'nginx:2',
      'spec.updateStrategy': { type: 'OnDelete' },
      'spec.revisionHistoryLimit': 3,
      'spec.persistentVolumeClaimRetentionPolicy.whenScaled': 'Delete',
      'spec.minReadySeconds': 5,
    },
    [],
  ],
  ['serviceName', { 'spec.serviceName': 'other' }, [FIXED]],
  ['policy', { 'spec.podManagementPolicy': 'Parallel' }, [FIXED]],
  ['a larger claim', { 'spec.volumeClaimTemplates.0.spec.resources.requests.storage': '1Gi' }, []],
  ['the same size, written otherwise', { [CLAIM_SIZE]: '204800Ki' }, []],
  [
    'what is meant anyway',
    {
      'spec.volumeClaimTemplates.0.spec.volumeMode': 'Filesystem',
      'spec.volumeClaimTemplates.0.status': { phase: 'Pending' },
      'spec.volumeClaimTemplates.0.kind': 'PersistentVolumeClaim',
    },
    [],
  ],
  [
    'labels and annotations of a claim',
    {
      'spec.volumeClaimTemplates.0.metadata.labels': { tier: 'db' },
      'spec.volumeClaimTemplates.0.metadata.annotations': { backup: 'daily' },
    },
    [],
  ],
  [
    'a smaller claim',
    { [CLAIM_SIZE]: '100Mi' },
    [
      'spec.volumeClaimTemplates[0].spec.resources.requests.storage: Forbidden: may only grow: volumes cannot shrink, ' +
        'and those of the set have been asked for 200Mi',
    ],
  ],
  [
    'no size at all',
    { [CLAIM_SIZE]: undefined },
    [
      'spec.volumeClaimTemplates[0].spec.resources[storage]: Required value',
      'spec.volumeClaimTemplates[0].spec.resources.requests.storage: Forbidden: may only grow: volumes cannot shrink, ' +
        'and those of the set have been asked for 200Mi',
    ],
  ],
  [
    'another class of a claim',
    { 'spec.volumeClaimTemplates.0.spec.storageClassName': 'fast' },
    [
      'spec.volumeClaimTemplates[0]: Forbidden: of a claim template, only spec.resources.requests.storage may grow, and ' +
        'labels and annotations may change; fields that differ: storageClassName',
    ],
  ],
  [
    'one more claim',
    {
      'spec.volumeClaimTemplates.1': {
        metadata: { name: 'log' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    },
    [
      'spec.volumeClaimTemplates: Forbidden: claim templates cannot be added, removed, renamed or put in another order ' +
        '(www before, www, log now): the pods that run have their volumes; only resources.requests.storage may grow, ' +
        'and labels and annotations may change',
    ],
  ],
  ['an annotation', { 'metadata.annotations': { 'stead.dev/paused': 'true' } }, []],
  [
    'a misspelt value of an annotation',
    { 'metadata.annotations': { 'stead.dev/paused': 'yes' } },
    ['metadata.annotations[stead.dev/paused]: Invalid value: "yes": must be "true" or "false"'],
  ],
  [
    'an invalid template',
    { 'spec.template.metadata.labels': { app: 'b' } },
    [
      'spec.template.metadata.labels: Invalid value: {"app":"b"}: `selector` does not match template `labels`',
    ],
  ],
];
for (const [name, changes, expected] of updates) {
  test(`update: ${name}`, () => assert.deepEqual(updateRefusals(statefulSets, WEB, changes), expected));
}

test('an update keeps the status', () => {
  const old = created(statefulSets, WEB);
  const next = { ...structuredClone(old), status: { replicas: 9 } };
  statefulSets.strategy.prepareForUpdate?.(next, old, { nowMs: 0 });
  assert.deepEqual(next.status, old.status);
});

test('the counts of a status fit together', () => {
  const old = created(statefulSets, WEB);
  old.status = { replicas: 2, collisionCount: 1 };
  const status = { replicas: 2, readyReplicas: 3, availableReplicas: 1, collisionCount: 0 };
  const errors = statefulSets.strategy.validateStatusUpdate?.({ ...old, status }, old) ?? [];
  assert.deepEqual(
    errors.map(({ field, body }) => `${field}: ${body}`),
    [
      'status.readyReplicas: Invalid value: 3: cannot be greater than status.replicas',
      'status.collisionCount: Invalid value: 0: cannot be decremented',
    ],
  );
});

test('scale reads and writes replicas', () => {
  const set = created(statefulSets, WEB);
  const frozen = set.spec;
  statefulSets.scale?.setSpecReplicas(set, 5);
  assert.equal(statefulSets.scale?.specReplicas(set), 5);
  assert.equal(frozen.replicas, 2);
  assert.equal(statefulSets.scale?.selector(set), 'app=nginx');
});

const option = (name: string, text: string): string[] =>
  refusals(statefulSets, WEB, { 'metadata.annotations': { [`stead.dev/${name}`]: text } });

test('what stead.dev annotations may say', () => {
  for (const [name, text] of [
    ['rollout-recovery', 'manual'],
    ['rollout-recovery', 'automatic'],
    ['reserve-ordinals', '1,3-5'],
    ['reserve-ordinals', ' 7 , 0-2'],
    ['update-last', 'role=primary'],
    ['update-last', 'role in (primary, leader),!learner'],
    ['pod-update', 'in-place-if-possible'],
    ['pod-update', 'recreate'],
    ['paused', 'false'],
  ] as const) {
    assert.deepEqual(option(name, text), [], `${name}: ${text}`);
  }
  assert.deepEqual(
    refusals(statefulSets, WEB, { 'metadata.annotations': { 'example.com/paused': '?' } }),
    [],
  );
});

test('what they may not say, each with a reason', () => {
  for (const [name, text, reason] of [
    ['rollout-recovery', 'off', /: Invalid value: "off": must be "automatic" or "manual"$/],
    ['reserve-ordinals', '', /must be ordinals and ranges .* as in "1,3-5"; "" is neither$/],
    ['reserve-ordinals', '1,x', /"x" is neither$/],
    ['reserve-ordinals', '5-3', /the range "5-3" ends before it begins: write "3-5"$/],
    ['reserve-ordinals', '1000000', /up to 999999/],
    [
      'reserve-ordinals',
      Array.from({ length: 101 }, (_, n) => 2 * n).join(),
      /at most 100 ordinals or ranges/,
    ],
    ['update-last', ' ', /must be a label selector that names at least one label/],
    ['update-last', 'a b', /must be a label selector, as in "role=primary": /],
    ['pod-update', 'in-place', /must be "in-place-if-possible" or "recreate"$/],
    ['paused', 'True', /must be "true" or "false"$/],
    [
      'pause',
      'true',
      /stead knows no such annotation of a StatefulSet; it knows stead.dev\/rollout-recovery, /,
    ],
  ] as const) {
    const said = option(name, text);
    assert.equal(said.length, 1, `${name}: ${text}`);
    assert.match(said[0] ?? '', reason);
  }
});

test('an annotation for the set among those of its pods is refused: it would do nothing there', () => {
  const misplaced = { 'spec.template.metadata.annotations': { 'stead.dev/paused': 'true' } };
  assert.deepEqual(refusals(statefulSets, WEB, misplaced), [
    'spec.template.metadata.annotations[stead.dev/paused]: Forbidden: it is for the StatefulSet, not for its pods: put it in metadata.annotations of the set',
  ]);
  const others = { 'spec.template.metadata.annotations': { 'stead.dev/mine': 'x' } };
  assert.deepEqual(refusals(statefulSets, WEB, others), []);
});

test('an annotation that is there already is not held against another change', () => {
  const old = created(statefulSets, WEB, { 'metadata.annotations': { 'stead.dev/newer': 'x' } });
  const next = { ...old, spec: { ...old.spec, replicas: 5 } };
  assert.deepEqual(statefulSets.strategy.validateUpdate?.(next, old), []);
});
