import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { isWaiting, partyName, rootCause } from '../api/between/waiting.ts';
import type {
  Container,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
} from '../api/generated/types.ts';
import type { KubeObject, Stored } from '../api/objects.ts';
import { podRequests } from '../api/pod-resources.ts';
import { present } from '../base/present.ts';
import { ClusterState } from './cluster-state.ts';
import { type Decision, planPod } from './plan.ts';
import type { StorageView } from './volumes.ts';

let uids = 0;
function stored<T extends KubeObject>(object: T): Stored<T> {
  const metadata = {
    namespace: 'default',
    uid: `uid-${++uids}`,
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    ...object.metadata,
    name: object.metadata.name ?? '',
  };
  return { ...object, metadata };
}

const storage = (
  claims: PersistentVolumeClaim[] = [],
  volumes: PersistentVolume[] = [],
  classes: StorageClass[] = [],
) => {
  const view: StorageView = {
    claim: (_namespace, name) => claims.map(stored).find((claim) => claim.metadata.name === name),
    volume: (name) => volumes.map(stored).find((volume) => volume.metadata.name === name),
    storageClass: (name) => classes.map(stored).find((each) => each.metadata.name === name),
    candidates: () => volumes.map(stored),
  };
  return view;
};

interface Scenario {
  nodes: Node[];
  /** Pods that are on nodes already. */
  placed?: Pod[];
  pod: Pod;
  claims?: PersistentVolumeClaim[];
  volumes?: PersistentVolume[];
  classes?: StorageClass[];
}

function decisionOn(yaml: string): Decision {
  const scenario = parse(yaml) as Scenario;
  const cluster = new ClusterState();
  for (const node of scenario.nodes) {
    const status = {
      conditions: [{ type: 'Ready', status: 'True' }],
      ...node.status,
      allocatable: { cpu: '2', memory: '4Gi', pods: '10', ...node.status?.allocatable },
    };
    const labels = { 'kubernetes.io/hostname': node.metadata.name ?? '', ...node.metadata.labels };
    cluster.setNode(
      stored({ ...node, spec: node.spec ?? {}, metadata: { ...node.metadata, labels }, status }),
    );
  }
  for (const pod of scenario.placed ?? []) cluster.placePod(stored(complete(pod)), pod.spec.nodeName ?? '');
  const view = storage(scenario.claims, scenario.volumes, scenario.classes);
  return planPod(stored(complete(scenario.pod)), cluster, view);
}

function decide(yaml: string): string {
  const decision = decisionOn(yaml);
  return decision.type === 'place' ? `→ ${decision.nodeName}` : rootCause(decision.because).message;
}

function complete(pod: Pod): Pod {
  const spec = { ...pod.spec, containers: pod.spec?.containers ?? [{ name: 'main' }] };
  return { ...pod, metadata: { name: 'web-0', ...pod.metadata }, spec };
}

const SCENARIOS: [string, string, string][] = [
  [
    'the node that is used least',
    `nodes: [{metadata: {name: a}}, {metadata: {name: b}}]
placed: [{spec: {nodeName: a, containers: [{name: c, resources: {requests: {cpu: 1}}}]}}]
pod: {}`,
    '→ b',
  ],
  [
    'the first name if all are equal',
    'nodes: [{metadata: {name: b}}, {metadata: {name: a}}]\npod: {}',
    '→ a',
  ],
  [
    'away from pods that it would rather not be beside, though all else speaks for the node',
    `nodes: [{metadata: {name: a}}, {metadata: {name: b}}]
placed:
- {metadata: {name: x, labels: {app: web}}, spec: {nodeName: a}}
- {metadata: {name: y}, spec: {nodeName: b, containers: [{name: c, resources: {requests: {cpu: 1}}}]}}
pod:
  spec:
    affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}}]}}`,
    '→ b',
  ],
  [
    'beside pods that it would like to be near',
    `nodes: [{metadata: {name: a}}, {metadata: {name: b}}]
placed: [{metadata: {name: x, labels: {app: cache}}, spec: {nodeName: b}}]
pod:
  spec:
    affinity: {podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: cache}}}}]}}`,
    '→ b',
  ],
  [
    'where fewer of its kind are, if it would like to be spread',
    `nodes: [{metadata: {name: a, labels: {zone: x}}}, {metadata: {name: b, labels: {zone: y}}}]
placed: [{metadata: {name: x, labels: {app: web}}, spec: {nodeName: a}}]
pod:
  metadata: {labels: {app: web}}
  spec: {topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: web}}}]}`,
    '→ b',
  ],
  [
    'a domain that its pods cannot use does not count, if it says so',
    `nodes: [{metadata: {name: a}}, {metadata: {name: b}, spec: {taints: [{key: k, effect: NoSchedule}]}}]
placed: [{metadata: {name: x, labels: {app: web}}, spec: {nodeName: a}}]
pod:
  metadata: {labels: {app: web}}
  spec: {topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, nodeTaintsPolicy: Honor, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}]}`,
    '→ a',
  ],
  [
    'every reason counted, in order',
    `nodes:
- {metadata: {name: a}, spec: {unschedulable: true}}
- {metadata: {name: b}, spec: {taints: [{key: dedicated, value: gpu, effect: NoSchedule}]}}
- {metadata: {name: c}, status: {allocatable: {cpu: 100m, memory: 1Mi}}}
pod: {spec: {containers: [{name: main, resources: {requests: {cpu: 1, memory: 1Gi}}}]}}`,
    '0/3 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) had untolerated taint {dedicated: gpu}, 1 node(s) were unschedulable.',
  ],
  [
    'a node that is not Ready is as good as tainted',
    `nodes: [{metadata: {name: a}, status: {conditions: [{type: Ready, status: 'False'}]}}]
pod: {}`,
    '0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.',
  ],
  [
    'a toleration opens it',
    `nodes: [{metadata: {name: a}, status: {conditions: [{type: Ready, status: 'False'}]}}]
pod: {spec: {tolerations: [{operator: Exists}]}}`,
    '→ a',
  ],
  [
    'nodeSelector and required node affinity',
    `nodes: [{metadata: {name: a, labels: {disk: hdd}}}, {metadata: {name: b, labels: {disk: ssd, zone: x}}}, {metadata: {name: c, labels: {disk: ssd, zone: y}}}]
pod:
  spec:
    nodeSelector: {disk: ssd}
    affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: NotIn, values: [x]}]}]}}}`,
    '→ c',
  ],
  [
    'no node of that kind',
    `nodes: [{metadata: {name: a}}]\npod: {spec: {nodeSelector: {disk: ssd}}}`,
    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
  ],
  [
    'too many pods',
    `nodes: [{metadata: {name: a}, status: {allocatable: {pods: 1}}}]
placed: [{spec: {nodeName: a}}]
pod: {}`,
    '0/1 nodes are available: 1 Too many pods.',
  ],
  [
    'a host port that is taken',
    `nodes: [{metadata: {name: a}}]
placed: [{spec: {nodeName: a, containers: [{name: c, ports: [{containerPort: 80, hostPort: 80}]}]}}]
pod: {spec: {containers: [{name: c, ports: [{containerPort: 8080, hostPort: 80, hostIP: 127.0.0.1}]}]}}`,
    "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
  ],
  [
    'affinity to a pod in the same zone',
    `nodes: [{metadata: {name: a, labels: {zone: x}}}, {metadata: {name: b, labels: {zone: y}}}]
placed: [{metadata: {name: db, labels: {app: db}}, spec: {nodeName: b}}]
pod: {spec: {affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone, labelSelector: {matchLabels: {app: db}}}]}}}}`,
    '→ b',
  ],
  [
    'the first pod of a group that wants to be together',
    `nodes: [{metadata: {name: a, labels: {zone: x}}}]
pod: {metadata: {labels: {app: db}}, spec: {affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone, labelSelector: {matchLabels: {app: db}}}]}}}}`,
    '→ a',
  ],
  [
    'affinity to a pod that is nowhere',
    `nodes: [{metadata: {name: a, labels: {zone: x}}}]
pod: {spec: {affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone, labelSelector: {matchLabels: {app: db}}}]}}}}`,
    "0/1 nodes are available: 1 node(s) didn't match pod affinity rules.",
  ],
  [
    'a pod already there that does not want this one',
    `nodes: [{metadata: {name: a}}]
placed: [{metadata: {name: x}, spec: {nodeName: a, affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}]}}}}]
pod: {metadata: {labels: {app: web}}}`,
    "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.",
  ],
  [
    'spread over zones',
    `nodes: [{metadata: {name: a, labels: {zone: x}}}, {metadata: {name: b, labels: {zone: y}}, status: {allocatable: {cpu: 1m}}}]
placed: [{metadata: {name: x, labels: {app: web}}, spec: {nodeName: a}}]
pod: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, resources: {requests: {cpu: 1}}}], topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}]}}`,
    "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match pod topology spread constraints.",
  ],
  [
    'the node that its bound volume is on',
    `nodes: [{metadata: {name: a}}, {metadata: {name: b}}]
claims: [{metadata: {name: www, annotations: {pv.kubernetes.io/bind-completed: 'yes'}}, spec: {volumeName: v}}]
volumes: [{metadata: {name: v}, spec: {nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [b]}]}]}}}}]
pod: {spec: {volumes: [{name: www, persistentVolumeClaim: {claimName: www}}]}}`,
    '→ b',
  ],
  [
    'the node of its bound volume is full',
    `nodes: [{metadata: {name: a}}, {metadata: {name: b}, spec: {unschedulable: true}}]
claims: [{metadata: {name: www, annotations: {pv.kubernetes.io/bind-completed: 'yes'}}, spec: {volumeName: v}}]
volumes: [{metadata: {name: v}, spec: {nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [b]}]}]}}}}]
pod: {spec: {volumes: [{name: www, persistentVolumeClaim: {claimName: www}}]}}`,
    "0/2 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity, 1 node(s) were unschedulable.",
  ],
  [
    'a claim that another node was selected for',
    `nodes: [{metadata: {name: a}}, {metadata: {name: b}}]
classes: [{metadata: {name: local}, provisioner: stead.dev/local, volumeBindingMode: WaitForFirstConsumer}]
claims: [{metadata: {name: www, annotations: {volume.kubernetes.io/selected-node: b}}, spec: {storageClassName: local}}]
pod: {spec: {volumes: [{name: www, persistentVolumeClaim: {claimName: www}}]}}`,
    '→ b',
  ],
  [
    'a claim that is being deleted',
    `nodes: [{metadata: {name: a}}]
claims: [{metadata: {name: www, deletionTimestamp: '2026-01-01T00:00:00Z'}, spec: {}}]
pod: {spec: {volumes: [{name: www, persistentVolumeClaim: {claimName: www}}]}}`,
    '0/1 nodes are available: persistentvolumeclaim "www" is being deleted.',
  ],
  [
    'a claim that has lost its volume',
    `nodes: [{metadata: {name: a}}]
claims: [{metadata: {name: www}, spec: {volumeName: v}, status: {phase: Lost}}]
pod: {spec: {volumes: [{name: www, persistentVolumeClaim: {claimName: www}}]}}`,
    '0/1 nodes are available: persistentvolumeclaim "www" bound to non-existent persistentvolume "v".',
  ],
  [
    'an exclusive claim in use',
    `nodes: [{metadata: {name: a}}]
placed: [{metadata: {name: x}, spec: {nodeName: a, volumes: [{name: www, persistentVolumeClaim: {claimName: www}}]}}]
claims: [{metadata: {name: www, annotations: {pv.kubernetes.io/bind-completed: 'yes'}}, spec: {volumeName: v, accessModes: [ReadWriteOncePod]}}]
volumes: [{metadata: {name: v}, spec: {}}]
pod: {spec: {volumes: [{name: www, persistentVolumeClaim: {claimName: www}}]}}`,
    '0/1 nodes are available: 1 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode.',
  ],
];

describe('planPod', () => {
  for (const [name, yaml, expected] of SCENARIOS) {
    it(name, () => assert.equal(decide(yaml), expected));
  }

  it('waits for the claim that keeps the pod from every node, and for no object if nodes do', () => {
    const awaited = (yaml: string): string => {
      const decision = decisionOn(yaml);
      assert.equal(decision.type, 'unschedulable');
      if (decision.type !== 'unschedulable') return '';
      const { because } = decision;
      assert.deepEqual([rootCause(because).reason, rootCause(because).passing], ['Unschedulable', false]);
      if (!isWaiting(because)) return 'nodes';
      return `${partyName(because.who)} for ${partyName(because.for)} to be ${because.tobe}`;
    };
    const two = `nodes: [{metadata: {name: a}}]
pod: {spec: {volumes: [{name: x, persistentVolumeClaim: {claimName: one}}, {name: y, persistentVolumeClaim: {claimName: two}}]}}
claims: [{metadata: {name: one}, spec: {}}`;
    assert.equal(awaited(`${two}]`), 'web-0 for claim two to be created');
    assert.equal(awaited(`${two}, {metadata: {name: two}, spec: {}}]`), 'web-0 for claim one to be Bound');
    const going = "{metadata: {name: two, deletionTimestamp: '2026-01-01T00:00:00Z'}, spec: {}}";
    assert.equal(awaited(`${two}, ${going}]`), 'web-0 for claim two to be gone');
    assert.equal(awaited('nodes: [{metadata: {name: a}, spec: {unschedulable: true}}]\npod: {}'), 'nodes');
    assert.equal(awaited('nodes: []\npod: {}'), 'nodes');
  });

  it('leaves nothing behind when pods come and go', () => {
    const amounts = fc.record({
      node: fc.integer({ min: 0, max: 2 }),
      cpu: fc.integer({ min: 0, max: 500 }),
    });
    fc.assert(
      fc.property(fc.array(amounts, { maxLength: 30 }), (list) => {
        const cluster = new ClusterState();
        const placed = list.map(({ node, cpu }) => {
          const resources = { requests: { cpu: `${cpu}m` } };
          const pod = stored(complete({ metadata: {}, spec: { containers: [{ name: 'c', resources }] } }));
          cluster.placePod(pod, `node-${node}`);
          return pod;
        });
        for (const node of cluster.nodes.values()) {
          let sum = 0n;
          for (const { pod } of node.pods.values()) sum += podRequests(pod).get('cpu') ?? 0n;
          assert.equal(node.requested.get('cpu') ?? 0n, sum);
        }
        for (const pod of placed) cluster.removePod(pod.metadata.uid);
        assert.equal(cluster.nodes.size, 0);
      }),
    );
  });
});

describe('podRequests', () => {
  const cpu = (pod: Partial<Pod['spec']>): bigint =>
    (podRequests(complete({ metadata: {}, spec: pod as Pod['spec'] })).get('cpu') ?? 0n) / 1_000_000n;
  const container = (name: string, amount: string, restartPolicy?: string): Container =>
    present({ name, restartPolicy, resources: { requests: { cpu: amount } } });

  it('is the sum of containers, or the greatest init container, and the overhead', () => {
    assert.equal(cpu({ containers: [container('a', '100m'), container('b', '200m')] }), 300n);
    assert.equal(cpu({ containers: [container('a', '100m')], initContainers: [container('i', '1')] }), 1000n);
    assert.equal(cpu({ containers: [container('a', '100m')], overhead: { cpu: '50m' } }), 150n);
  });

  it('counts a sidecar beside the containers and beside later init containers', () => {
    const initContainers = [container('side', '100m', 'Always'), container('init', '300m')];
    assert.equal(cpu({ containers: [container('a', '200m')], initContainers }), 400n);
    assert.equal(cpu({ containers: [container('a', '500m')], initContainers }), 600n);
  });
});
