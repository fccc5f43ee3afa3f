import assert from 'node:assert/strict';
import test from 'node:test';
import { type Changes, created, refusals, updateRefusals } from '../../../validation/test-manifests.ts';
import { pods } from '../definition.ts';

const POD = `
metadata: {name: web-0, namespace: default}
spec:
  serviceAccountName: default
  containers:
  - name: nginx
    image: nginx:1.27
    ports: [{containerPort: 80, name: web}]
    env:
    - {name: MY.NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: HASH, valueFrom: {fieldRef: {fieldPath: "metadata.labels['controller-revision-hash']"}}}
    - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
    envFrom: [{configMapRef: {name: settings}, prefix: APP_}]
    volumeMounts: [{name: www, mountPath: /usr/share/nginx/html}, {name: tmp, mountPath: /tmp, subPath: a/b}]
    readinessProbe: {httpGet: {port: web, path: /ready}}
    livenessProbe: {exec: {command: [/bin/true]}, terminationGracePeriodSeconds: 5}
    lifecycle: {preStop: {sleep: {seconds: 3}}}
    resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 500m, memory: 128Mi}}
    securityContext: {runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
  initContainers:
  - {name: setup, image: busybox}
  - {name: proxy, image: envoy, restartPolicy: Always, startupProbe: {tcpSocket: {port: 9000}}}
  volumes:
  - {name: www, persistentVolumeClaim: {claimName: www-web-0}}
  - {name: tmp, emptyDir: {sizeLimit: 1Gi}}
  - {name: token, projected: {sources: [{serviceAccountToken: {path: token, expirationSeconds: 3607}}, {downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}]}}
  affinity:
    podAntiAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
      - {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: nginx}}}
  tolerations: [{key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 300}]
  topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}]
`;

test('a realistic pod is accepted', () => assert.deepEqual(refusals(pods, POD), []));

const C = 'spec.containers.0';
const PATH = 'spec.containers[0]';

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with " +
  "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

const refused: readonly [string, Changes, string[]][] = [
  ['no containers', { 'spec.containers': [] }, ['spec.containers: Required value']],
  ['no image', { [`${C}.image`]: '' }, [`${PATH}.image: Required value`]],
  [
    'image with a blank',
    { [`${C}.image`]: ' nginx' },
    [`${PATH}.image: Invalid value: " nginx": must not have leading or trailing whitespace`],
  ],
  ['container name', { [`${C}.name`]: 'Nginx' }, [`${PATH}.name: Invalid value: "Nginx": ${LABEL}`]],
  [
    'an init container of the same name',
    { 'spec.initContainers.0.name': 'nginx' },
    ['spec.initContainers[0].name: Duplicate value: "nginx"'],
  ],
  [
    'unknown volume',
    { [`${C}.volumeMounts.0.name`]: 'data' },
    [`${PATH}.volumeMounts[0].name: Not found: "data"`],
  ],
  [
    'two mounts in one place',
    { [`${C}.volumeMounts.1.mountPath`]: '/usr/share/nginx/html' },
    [`${PATH}.volumeMounts[1].mountPath: Invalid value: "/usr/share/nginx/html": must be unique`],
  ],
  [
    'subPath upward',
    { [`${C}.volumeMounts.1.subPath`]: '../x' },
    [`${PATH}.volumeMounts.subPath: Invalid value: "../x": must not contain '..'`],
  ],
  [
    'port number',
    { [`${C}.ports.0.containerPort`]: 70000 },
    [`${PATH}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`],
  ],
  [
    'protocol',
    { [`${C}.ports.0.protocol`]: 'HTTP' },
    [`${PATH}.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"`],
  ],
  [
    'a host port twice',
    {
      [`${C}.ports`]: [
        { containerPort: 80, hostPort: 8080 },
        { containerPort: 81, hostPort: 8080 },
      ],
      [`${C}.readinessProbe`]: undefined,
    },
    [`${PATH}.ports[1].hostPort: Duplicate value: "TCP//8080"`],
  ],
  [
    'variable name',
    { [`${C}.env.0.name`]: 'a=b' },
    [
      `${PATH}.env[0].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ` +
        "ASCII characters other than '='",
    ],
  ],
  [
    'value and source',
    { [`${C}.env.0.value`]: 'x' },
    [`${PATH}.env[0].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`],
  ],
  [
    'unknown field',
    { [`${C}.env.0.valueFrom.fieldRef.fieldPath`]: 'metadata.age' },
    [
      `${PATH}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.age": error converting fieldPath: field ` +
        'label not supported: metadata.age',
    ],
  ],
  [
    'request above limit',
    { [`${C}.resources.requests.memory`]: '1Gi' },
    [`${PATH}.resources.requests: Invalid value: "1Gi": must be less than or equal to memory limit of 128Mi`],
  ],
  [
    'unknown resource',
    { [`${C}.resources`]: { requests: { disk: '1Gi' } } },
    [
      `${PATH}.resources.requests[disk]: Invalid value: "disk": must be a standard resource type or fully qualified`,
      `${PATH}.resources.requests[disk]: Invalid value: "disk": must be a standard resource for containers`,
    ],
  ],
  [
    'probe without an action',
    { [`${C}.readinessProbe`]: { periodSeconds: 5 } },
    [`${PATH}.readinessProbe: Required value: must specify a handler type`],
  ],
  [
    'probe with two actions',
    { [`${C}.livenessProbe.tcpSocket`]: { port: 80 } },
    [`${PATH}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type`],
  ],
  [
    'liveness threshold',
    { [`${C}.livenessProbe.successThreshold`]: 2 },
    [`${PATH}.livenessProbe.successThreshold: Invalid value: 2: must be 1`],
  ],
  [
    'readiness grace period',
    { [`${C}.readinessProbe.terminationGracePeriodSeconds`]: 2 },
    [
      `${PATH}.readinessProbe.terminationGracePeriodSeconds: Invalid value: 2: must not be set for readinessProbes`,
    ],
  ],
  [
    'sleep longer than the grace period',
    { [`${C}.lifecycle.preStop.sleep.seconds`]: 31 },
    [
      `${PATH}.lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than ` +
        'terminationGracePeriodSeconds (30)',
    ],
  ],
  [
    'probe of an init container',
    { 'spec.initContainers.0.livenessProbe': { exec: { command: ['x'] } } },
    [
      'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
    ],
  ],
  [
    'pull policy',
    { [`${C}.imagePullPolicy`]: 'Sometimes' },
    [
      `${PATH}.imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"`,
    ],
  ],
  [
    'user',
    { [`${C}.securityContext.runAsUser`]: -1 },
    [`${PATH}.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive`],
  ],
  [
    'restart policy',
    { 'spec.restartPolicy': 'Sometimes' },
    ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
  ],
  [
    'volume with two sources',
    { 'spec.volumes.1.hostPath': { path: '/tmp' } },
    [
      'spec.volumes[1].hostPath: Forbidden: may not specify more than 1 volume type',
      `${PATH}.volumeMounts[1].name: Not found: "tmp"`,
    ],
  ],
  ['volume name twice', { 'spec.volumes.2.name': 'tmp' }, ['spec.volumes[2].name: Duplicate value: "tmp"']],
  [
    'claim without a name',
    { 'spec.volumes.0.persistentVolumeClaim.claimName': '' },
    [
      'spec.volumes[0].persistentVolumeClaim.claimName: Required value',
      `${PATH}.volumeMounts[0].name: Not found: "www"`,
    ],
  ],
  [
    'token that is short-lived',
    { 'spec.volumes.2.projected.sources.0.serviceAccountToken.expirationSeconds': 60 },
    [
      'spec.volumes[2].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 60: may not specify ' +
        'a duration less than 10 minutes',
    ],
  ],
  ['host name', { 'spec.hostname': 'Web' }, [`spec.hostname: Invalid value: "Web": ${LABEL}`]],
  [
    'deadline',
    { 'spec.activeDeadlineSeconds': 0 },
    ['spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive'],
  ],
  [
    'DNS without a server',
    { 'spec.dnsPolicy': 'None', 'spec.dnsConfig': {} },
    [
      'spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None',
    ],
  ],
  [
    'alias',
    { 'spec.hostAliases': [{ ip: '10.0.0', hostnames: ['a'] }] },
    [
      'spec.hostAliases[0].ip: Invalid value: "10.0.0": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
  ],
  [
    'affinity without topology',
    { 'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution.0.topologyKey': 'a/b/c' },
    [
      'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: ' +
        "\"a/b/c\": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start " +
        "and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for " +
        "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' " +
        "(e.g. 'example.com/MyName')",
    ],
  ],
  [
    'node affinity without values',
    {
      'spec.affinity.nodeAffinity': {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator: 'In' }] }],
        },
      },
    },
    [
      'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].' +
        "matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ],
  ],
  [
    'toleration without a key',
    { 'spec.tolerations': [{ value: 'x' }] },
    [
      'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means ' +
        '"match all values and all keys"',
    ],
  ],
  [
    'spread of nothing',
    { 'spec.topologySpreadConstraints.0.maxSkew': 0 },
    ['spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero'],
  ],
];
for (const [name, changes, expected] of refused) {
  test(`refused: ${name}`, () => assert.deepEqual(refusals(pods, POD, changes), expected));
}

test('a new pod is pending, with its class of service, whatever status came with it', () => {
  const pod = created(pods, POD, { status: { phase: 'Running', podIP: '10.0.0.9' } });
  assert.deepEqual(pod.status, { phase: 'Pending', qosClass: 'Burstable' });
  const gated = created(pods, POD, { 'spec.schedulingGates': [{ name: 'example.com/wait' }] });
  assert.equal(gated.status?.conditions?.[0]?.reason, 'SchedulingGated');
});

const resources = (cpu: string | undefined): Changes => ({
  'spec.initContainers': undefined,
  [`${C}.resources`]: cpu && { limits: { cpu, memory: '1Gi' } },
});
test('quality of service', () => {
  assert.equal(created(pods, POD, resources('1')).status?.qosClass, 'Guaranteed');
  assert.equal(created(pods, POD, resources(undefined)).status?.qosClass, 'BestEffort');
});

test('what may change', () => {
  const added = [{ key: 'x', operator: 'Exists' }];
  const old = created(pods, POD).spec.tolerations ?? [];
  assert.deepEqual(
    updateRefusals(pods, POD, {
      [`${C}.image`]: 'nginx:2',
      'metadata.labels': { a: 'b' },
      'spec.activeDeadlineSeconds': 30,
      'spec.tolerations': [...old.map((it) => ({ ...it, tolerationSeconds: 5 })), ...added],
    }),
    [],
  );
});

test('what may not change', () => {
  const [error] = updateRefusals(pods, POD, { 'spec.nodeName': 'n', [`${C}.args`]: ['x'] });
  assert.equal(
    error,
    'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,' +
      '`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing ' +
      'tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n' +
      '+ containers[0].args: ["x"]\n+ nodeName: "n"',
  );
  assert.deepEqual(updateRefusals(pods, POD, { 'spec.tolerations': [] }), [
    'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
  ]);
  assert.deepEqual(updateRefusals(pods, POD, { 'spec.initContainers': [] }), [
    'spec.initContainers: Forbidden: pod updates may not add or remove containers',
  ]);
  assert.deepEqual(
    updateRefusals(pods, POD, { 'spec.activeDeadlineSeconds': 9 }, { 'spec.activeDeadlineSeconds': 5 }),
    ['spec.activeDeadlineSeconds: Invalid value: 9: must be less than or equal to previous value'],
  );
});

test('a status write changes only status', () => {
  const old = created(pods, POD);
  const next = structuredClone(old);
  next.spec.nodeName = 'elsewhere';
  next.status = { phase: 'Running' };
  pods.strategy.prepareForStatusUpdate?.(next, old, { nowMs: 0 });
  assert.equal(next.spec.nodeName, undefined);
  assert.deepEqual(next.status, { phase: 'Running', qosClass: 'Burstable' });
});

test('a deletion waits only for a node that has something to finish', () => {
  const grace = (changes: Changes): number | undefined => {
    const pod = created(pods, POD, changes);
    if (changes['status.phase']) pod.status = { phase: `${changes['status.phase']}` };
    return pods.strategy.gracePeriodSeconds?.(pod);
  };
  assert.equal(grace({}), undefined);
  assert.equal(grace({ 'spec.nodeName': 'n' }), 30);
  assert.equal(grace({ 'spec.nodeName': 'n', 'spec.terminationGracePeriodSeconds': 0 }), 0);
  assert.equal(grace({ 'spec.nodeName': 'n', 'spec.terminationGracePeriodSeconds': -1 }), 1);
  assert.equal(grace({ 'spec.nodeName': 'n', 'status.phase': 'Succeeded' }), undefined);
});
