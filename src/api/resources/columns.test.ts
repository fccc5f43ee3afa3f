// Rows of `kubectl get -o wide`, as upstream prints them.

import assert from 'node:assert/strict';
import test from 'node:test';
import { parse } from 'yaml';
import type { KubeObject } from '../objects.ts';
import type { ResourceDefinition } from '../resource.ts';
import { decode } from '../schema/decode.ts';
import { allResources } from './all.ts';
import { schemaOf } from './schema.ts';

const NOW = Date.parse('2026-01-01T01:00:00Z');

/** The cells of an object by column. */
function row(kind: string, yaml: string): Record<string, unknown> {
  const resource: ResourceDefinition | undefined = allResources.find((it) => it.schema === kind);
  assert.ok(resource, kind);
  const { object }: { object: KubeObject } = decode(
    schemaOf([resource]).type(resource.schema),
    parse(yaml),
    'Strict',
  );
  return Object.fromEntries(resource.columns.map((column) => [column.name, column.cell(object, NOW)]));
}

/** Asserts the cells that are named. */
function check(kind: string, name: string, yaml: string, expected: Record<string, unknown>): void {
  test(`${kind}: ${name}`, () => {
    const cells = row(kind, yaml);
    const seen = Object.fromEntries(Object.keys(expected).map((column) => [column, cells[column]]));
    assert.deepEqual(seen, expected);
  });
}

const pod = (status: string, spec = '', metadata = ''): string => `
metadata: {name: web-0, creationTimestamp: "2026-01-01T00:55:00Z"${metadata}}
spec:
  containers: [{name: a, image: a}, {name: b, image: b}]
${spec}
status:
${status}`;

check('Pod', 'nothing known yet', pod('  phase: Pending'), {
  Name: 'web-0',
  Ready: '0/2',
  Status: 'Pending',
  Restarts: '0',
  Age: '5m',
  IP: '<none>',
  Node: '<none>',
  'Nominated Node': '<none>',
  'Readiness Gates': '<none>',
});
check(
  'Pod',
  'running, restarted',
  pod(
    `
  phase: Running
  podIPs: [{ip: 10.0.0.7}]
  conditions: [{type: example.com/lb, status: "True"}]
  containerStatuses:
  - {name: a, image: a, imageID: "", ready: true, restartCount: 3, state: {running: {}}, lastState: {terminated: {exitCode: 1, finishedAt: "2026-01-01T00:57:00Z"}}}
  - {name: b, image: b, imageID: "", ready: false, restartCount: 0, state: {running: {}}}`,
    '  nodeName: node-1\n  readinessGates: [{conditionType: example.com/lb}, {conditionType: example.com/x}]',
  ),
  {
    Ready: '1/2',
    Status: 'Running',
    Restarts: '3 (3m ago)',
    IP: '10.0.0.7',
    Node: 'node-1',
    'Readiness Gates': '1/2',
  },
);

const statuses = (a: string, b: string, extra = ''): string => `
  phase: Running
  ${extra}
  containerStatuses:
  - {name: a, image: a, imageID: "", ready: true, restartCount: 0, state: ${a}}
  - {name: b, image: b, imageID: "", ready: true, restartCount: 0, state: ${b}}`;
const status = (name: string, yaml: string, expected: string): void =>
  check('Pod', name, yaml, { Status: expected });

status('waiting', pod(statuses('{waiting: {reason: ContainerCreating}}', '{}')), 'ContainerCreating');
status(
  'crashing',
  pod(statuses('{waiting: {reason: CrashLoopBackOff}}', '{running: {}}')),
  'CrashLoopBackOff',
);
status(
  'the first container speaks',
  pod(statuses('{waiting: {reason: ErrImagePull}}', '{waiting: {reason: CrashLoopBackOff}}')),
  'ErrImagePull',
);
status('exit code', pod(statuses('{terminated: {exitCode: 3}}', '{running: {}}')), 'ExitCode:3');
status('signal', pod(statuses('{terminated: {exitCode: 137, signal: 9}}', '{running: {}}')), 'Signal:9');
status(
  'completed',
  pod(
    statuses(
      '{terminated: {exitCode: 0, reason: Completed}}',
      '{terminated: {exitCode: 0, reason: Completed}}',
    ),
  ),
  'Completed',
);
status(
  'one has completed, one runs, not ready',
  pod(statuses('{terminated: {exitCode: 0, reason: Completed}}', '{running: {}}')),
  'NotReady',
);
status(
  'one has completed, one runs, ready',
  pod(
    statuses(
      '{terminated: {exitCode: 0, reason: Completed}}',
      '{running: {}}',
      'conditions: [{type: Ready, status: "True"}]',
    ),
  ),
  'Running',
);
status('evicted', pod('  phase: Failed\n  reason: Evicted'), 'Evicted');
status(
  'gated',
  pod('  phase: Pending\n  conditions: [{type: PodScheduled, status: "False", reason: SchedulingGated}]'),
  'SchedulingGated',
);
const GOING = ', deletionTimestamp: "2026-01-01T00:59:00Z"';
status('terminating', pod(statuses('{running: {}}', '{running: {}}'), '', GOING), 'Terminating');
status('lost with its node', pod('  phase: Running\n  reason: NodeLost', '', GOING), 'Unknown');
status('finished, then deleted', pod('  phase: Succeeded', '', GOING), 'Succeeded');

const init = (state: string, restartCount = 0): string =>
  pod(
    `
  phase: Pending
  initContainerStatuses:
  - {name: i, image: i, imageID: "", ready: false, restartCount: ${restartCount}, state: ${state}}
  - {name: j, image: j, imageID: "", ready: false, restartCount: 0, state: {waiting: {reason: PodInitializing}}}
  containerStatuses:
  - {name: a, image: a, imageID: "", ready: false, restartCount: 0, state: {waiting: {reason: PodInitializing}}}`,
    '  initContainers: [{name: i, image: i}, {name: j, image: j}]',
  );
status('init runs', init('{running: {}}'), 'Init:0/2');
status('second init', init('{terminated: {exitCode: 0}}'), 'Init:1/2');
status('init failed', init('{terminated: {exitCode: 2}}'), 'Init:ExitCode:2');
status('init failed with a reason', init('{terminated: {exitCode: 2, reason: Error}}'), 'Init:Error');
status('init killed', init('{terminated: {exitCode: 137, signal: 9}}'), 'Init:Signal:9');
check('Pod', 'init crashes', init('{waiting: {reason: CrashLoopBackOff}}', 4), {
  Status: 'Init:CrashLoopBackOff',
  Restarts: '4',
});
check(
  'Pod',
  'sidecar',
  pod(
    `
  phase: Running
  initContainerStatuses:
  - {name: s, image: s, imageID: "", ready: true, started: true, restartCount: 2, state: {running: {}}}
  containerStatuses:
  - {name: a, image: a, imageID: "", ready: true, restartCount: 1, state: {running: {}}}`,
    '  initContainers: [{name: s, image: s, restartPolicy: Always}]',
  ),
  { Ready: '2/3', Status: 'Running', Restarts: '3' },
);

check(
  'StatefulSet',
  'one of two ready',
  `
metadata: {name: web, creationTimestamp: "2026-01-01T00:59:30Z"}
spec: {replicas: 2, template: {spec: {containers: [{name: a, image: "x:1"}, {name: b, image: y}]}}}
status: {replicas: 2, readyReplicas: 1}`,
  { Name: 'web', Ready: '1/2', Age: '30s', Containers: 'a,b', Images: 'x:1,y' },
);
check(
  'Service',
  'headless',
  'metadata: {name: nginx}\nspec: {type: ClusterIP, clusterIP: None, ports: [{port: 80, protocol: TCP}], selector: {app: nginx}}',
  {
    Type: 'ClusterIP',
    'Cluster-IP': 'None',
    'External-IP': '<none>',
    'Port(s)': '80/TCP',
    Age: '<unknown>',
    Selector: 'app=nginx',
  },
);
check(
  'Service',
  'node port and balancer',
  'metadata: {name: a}\nspec: {type: LoadBalancer, clusterIP: 10.0.0.1, ports: [{port: 80, nodePort: 30080, protocol: TCP}, {port: 53, protocol: UDP}]}',
  { 'External-IP': '<pending>', 'Port(s)': '80:30080/TCP,53/UDP', Selector: '<none>' },
);
check(
  'Service',
  'external name without ports',
  'metadata: {name: a}\nspec: {type: ExternalName, externalName: db.example.com}',
  { 'Cluster-IP': '<none>', 'External-IP': 'db.example.com', 'Port(s)': '<none>' },
);
check(
  'PersistentVolumeClaim',
  'pending',
  'metadata: {name: www}\nspec: {storageClassName: fast}\nstatus: {phase: Pending}',
  {
    Status: 'Pending',
    Volume: '',
    Capacity: '',
    'Access Modes': '',
    StorageClass: 'fast',
    VolumeAttributesClass: '<unset>',
    VolumeMode: '<unset>',
  },
);
check(
  'PersistentVolumeClaim',
  'bound',
  `
metadata: {name: www}
spec: {volumeName: pv-1, volumeMode: Filesystem}
status: {phase: Bound, accessModes: [ReadWriteMany, ReadWriteOnce], capacity: {storage: 200Mi}}`,
  {
    Status: 'Bound',
    Volume: 'pv-1',
    Capacity: '200Mi',
    'Access Modes': 'RWO,RWX',
    VolumeMode: 'Filesystem',
  },
);
check(
  'PersistentVolume',
  'released',
  `
metadata: {name: pv-1, deletionTimestamp: "2026-01-01T00:00:00Z"}
spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], persistentVolumeReclaimPolicy: Delete, claimRef: {namespace: default, name: www}}
status: {phase: Released, reason: Lost}`,
  {
    Capacity: '1Gi',
    'Access Modes': 'RWO',
    'Reclaim Policy': 'Delete',
    Status: 'Terminating',
    Claim: 'default/www',
    Reason: 'Lost',
  },
);
check(
  'Node',
  'cordoned',
  `
metadata: {name: n, labels: {node-role.kubernetes.io/worker: "", node-role.kubernetes.io/control-plane: ""}}
spec: {unschedulable: true}
status: {conditions: [{type: Ready, status: "True"}], addresses: [{type: InternalIP, address: 10.0.0.2}]}`,
  {
    Status: 'Ready,SchedulingDisabled',
    Roles: 'control-plane,worker',
    'Internal-IP': '10.0.0.2',
    'External-IP': '<none>',
    'OS-Image': '<unknown>',
  },
);
check('Node', 'silent', 'metadata: {name: n}', { Status: 'Unknown', Roles: '<none>', Version: '' });
check(
  'Event',
  'counted',
  `
metadata: {name: web-0.1}
involvedObject: {kind: Pod, name: web-0, fieldPath: "spec.containers{nginx}"}
type: Warning
reason: BackOff
message: " Back-off "
source: {component: kubelet, host: node-1}
firstTimestamp: "2026-01-01T00:50:00Z"
lastTimestamp: "2026-01-01T00:59:00Z"
count: 7`,
  {
    'Last Seen': '60s',
    Type: 'Warning',
    Reason: 'BackOff',
    Object: 'pod/web-0',
    Subobject: 'spec.containers{nginx}',
    Source: 'kubelet, node-1',
    Message: 'Back-off',
    'First Seen': '10m',
    Count: '7',
    Name: 'web-0.1',
  },
);
check(
  'Event',
  'of the new form',
  `
metadata: {name: e}
involvedObject: {kind: Pod, name: web-0}
eventTime: "2026-01-01T00:58:00.000000Z"
reportingComponent: stead`,
  { 'Last Seen': '2m', 'First Seen': '2m', Count: '1', Source: 'stead' },
);
check(
  'Endpoints',
  'more than three',
  `
metadata: {name: nginx}
subsets: [{addresses: [{ip: 10.0.0.1}, {ip: 10.0.0.2}, {ip: 10.0.0.3}, {ip: 10.0.0.4}], ports: [{port: 80, protocol: TCP}]}]`,
  { Endpoints: '10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...' },
);
check('Endpoints', 'none', 'metadata: {name: nginx}', { Endpoints: '<none>' });
check(
  'EndpointSlice',
  'two',
  'metadata: {name: s}\naddressType: IPv4\nports: [{name: web, port: 80}]\nendpoints: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.2]}]',
  { AddressType: 'IPv4', Ports: '80', Endpoints: '10.0.0.1,10.0.0.2' },
);
check('EndpointSlice', 'empty', 'metadata: {name: s}\naddressType: IPv4', {
  Ports: '<unset>',
  Endpoints: '<unset>',
});
check(
  'StorageClass',
  'default',
  `
metadata: {name: storage-local, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: stead.dev/local
allowVolumeExpansion: true
volumeBindingMode: WaitForFirstConsumer`,
  {
    Name: 'storage-local (default)',
    ReclaimPolicy: 'Delete',
    VolumeBindingMode: 'WaitForFirstConsumer',
    AllowVolumeExpansion: true,
  },
);
check(
  'ControllerRevision',
  'owned',
  `
metadata:
  name: web-1
  ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: web, uid: u, controller: true}]
revision: 3`,
  { Controller: 'statefulset.apps/web', Revision: '3' },
);
check('ConfigMap', 'both kinds of data', 'metadata: {name: c}\ndata: {a: b}\nbinaryData: {c: YQ==}', {
  Data: '2',
});
check('PodDisruptionBudget', 'maximum', 'metadata: {name: p}\nspec: {maxUnavailable: 1}', {
  'Min Available': 'N/A',
  'Max Unavailable': '1',
  'Allowed Disruptions': 0,
});
check(
  'RoleBinding',
  'subjects',
  `
metadata: {name: r}
roleRef: {kind: Role, name: reader}
subjects: [{kind: ServiceAccount, namespace: default, name: web}, {kind: User, name: ann}]`,
  { Role: 'Role/reader', Users: 'ann', Groups: '', ServiceAccounts: 'default/web' },
);
check('Role', 'when it was made', 'metadata: {name: r, creationTimestamp: "2026-01-01T00:00:00Z"}', {
  'Created At': '2026-01-01T00:00:00Z',
});

test('every resource has a name column, and no two answer the same path', () => {
  const paths = new Set<string>();
  for (const resource of allResources) {
    assert.equal(resource.columns.filter((column) => column.format === 'name').length, 1, resource.plural);
    const path = `${resource.group}/${resource.plural}`;
    assert.ok(!paths.has(path), path);
    paths.add(path);
  }
});

check(
  'NetworkPolicy',
  'its pods',
  'metadata: {name: a}\nspec: {podSelector: {matchLabels: {b: "2", a: "1"}, matchExpressions: [{key: c, operator: In, values: [y, x]}]}}',
  { Name: 'a', 'Pod-Selector': 'a=1,b=2,c in (x,y)' },
);
check('NetworkPolicy', 'all pods', 'metadata: {name: a}\nspec: {podSelector: {}}', {
  'Pod-Selector': '<none>',
});
check(
  'Ingress',
  'many hosts',
  `
metadata: {name: a}
spec: {tls: [{}], ingressClassName: c, rules: [{host: a}, {}, {host: b}, {host: c}, {}]}
status: {loadBalancer: {ingress: [{ip: 192.0.2.17}, {hostname: b.example.com}, {ip: 192.0.2.17}]}}`,
  { Class: 'c', Hosts: 'a,b,c + 2 more...', Address: '192.0.2.17,b....', Ports: '80, 443' },
);
check('Ingress', 'nothing said', 'metadata: {name: a}\nspec: {rules: [{}]}', {
  Class: '<none>',
  Hosts: '*',
  Address: '',
  Ports: '80',
});
check(
  'IngressClass',
  'the default one',
  `
metadata: {name: a, annotations: {ingressclass.kubernetes.io/is-default-class: "true"}}
spec: {controller: example.com/c, parameters: {apiGroup: example.com, kind: Config, name: c}}`,
  { Name: 'a (default)', Controller: 'example.com/c', Parameters: 'Config.example.com/c' },
);

check('ServiceCIDR', 'two ranges', 'metadata: {name: a}\nspec: {cidrs: [10.96.0.0/16, "fd00::/108"]}', {
  CIDRs: '10.96.0.0/16,fd00::/108',
});
check(
  'IPAddress',
  'of a service',
  'metadata: {name: 10.96.0.9}\nspec: {parentRef: {resource: services, namespace: default, name: a}}',
  { Name: '10.96.0.9', ParentRef: 'services/default/a' },
);
check(
  'IPAddress',
  'of something else',
  'metadata: {name: 10.96.0.9}\nspec: {parentRef: {group: Example.com, resource: gateways, name: a}}',
  { ParentRef: 'gateways.example.com/a' },
);
