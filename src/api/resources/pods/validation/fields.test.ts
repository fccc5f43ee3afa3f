// The rules of a pod that are about one field each: what upstream says of a bad one.
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Changes, refusals } from '../../../validation/test-manifests.ts';
import { pods } from '../definition.ts';

const POD = `
metadata: {name: web-0, namespace: default}
spec:
  serviceAccountName: default
  containers:
  - {name: nginx, image: 'nginx:1', env: [{name: A, value: x}], volumeMounts: [{name: www, mountPath: /www}]}
  volumes: [{name: www, emptyDir: {}}]`;
const C = 'spec.containers.0';
const PATH = 'spec.containers[0]';
const source = (valueFrom: object): Changes => ({ [`${C}.env`]: [{ name: 'A', valueFrom }] });
const context = (securityContext: object): Changes => ({ 'spec.securityContext': securityContext });

const accepted: readonly [string, Changes][] = [
  ['all sources of variables', { [`${C}.env`]: [{ name: 'a b', value: '' }] }],
  ['a divisor', source({ resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } })],
  ['a hugepages reference', source({ resourceFieldRef: { resource: 'limits.hugepages-2Mi' } })],
  ['hugepages', { [`${C}.resources`]: { limits: { 'hugepages-2Mi': '4Mi', memory: '1Gi' } } }],
  ['a device', { [`${C}.resources`]: { limits: { 'example.com/gpu': '2' } } }],
  [
    'claims of devices',
    {
      'spec.resourceClaims': [{ name: 'gpu', resourceClaimName: 'a' }],
      [`${C}.resources`]: { claims: [{ name: 'gpu', request: 'one' }] },
    },
  ],
  [
    'restart rules',
    {
      [`${C}.restartPolicy`]: 'Never',
      [`${C}.restartPolicyRules`]: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
    },
  ],
  ['resize policy', { [`${C}.resizePolicy`]: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }] }],
  ['a stop signal', { [`${C}.lifecycle`]: { stopSignal: 'SIGUSR1' }, 'spec.os': { name: 'linux' } }],
  ['search domains', { 'spec.dnsConfig': { searches: ['.', 'a_b.example.com.'] } }],
  ['numeric toleration', { 'spec.tolerations': [{ key: 'k', operator: 'Gt', value: '-3' }] }],
  [
    'the pod has resources of its own',
    { 'spec.resources': { requests: { cpu: '2' } }, [`${C}.resources`]: { requests: { cpu: '1' } } },
  ],
  [
    'profiles',
    context({
      appArmorProfile: { type: 'Localhost', localhostProfile: 'p' },
      seccompProfile: { type: 'Localhost', localhostProfile: 'a/b.json' },
      sysctls: [{ name: 'net/ipv4.ip_forward', value: '1' }],
      seLinuxChangePolicy: 'Recursive',
    }),
  ],
  ['a preference for what no label can be', preference('a b')],
];
for (const [name, changes] of accepted) {
  test(`accepted: ${name}`, () => assert.deepEqual(refusals(pods, POD, changes), []));
}

function preference(value: string, required = false): Changes {
  const term = { matchExpressions: [{ key: 'k', operator: 'In', values: [value] }] };
  return {
    'spec.affinity.nodeAffinity': required
      ? { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } }
      : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: term }] },
  };
}

const refused: readonly [string, Changes, string | RegExp][] = [
  [
    'divisor',
    source({ resourceFieldRef: { resource: 'limits.cpu', divisor: '2' } }),
    `${PATH}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 ` +
      'are supported with the cpu resource',
  ],
  [
    'no source',
    source({}),
    `${PATH}.env[0].valueFrom: Invalid value: "": must specify one of: \`fieldRef\`, \`resourceFieldRef\`, ` +
      '`configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
  ],
  [
    'a key of a config map with a bad name',
    source({ configMapKeyRef: { name: 'A', key: 'a' } }),
    /^spec\.containers\[0\]\.env\[0\]\.valueFrom\.configMapKeyRef\.name: Invalid value: "A": a lowercase RFC 1123 subdomain/,
  ],
  [
    'envFrom nothing',
    { [`${C}.envFrom`]: [{}] },
    `${PATH}.envFrom: Invalid value: "": must specify one of: \`configMapRef\` or \`secretRef\``,
  ],
  [
    'hugepages without memory',
    { [`${C}.resources`]: { limits: { 'hugepages-2Mi': '4Mi' } } },
    `${PATH}.resources: Forbidden: HugePages require cpu or memory`,
  ],
  [
    'part of a page',
    {
      [`${C}.resources`]: {
        requests: { 'hugepages-2Mi': '2Mi' },
        limits: { 'hugepages-2Mi': '3Mi', cpu: '1' },
      },
    },
    `${PATH}.resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi; ` +
      `${PATH}.resources.requests: Invalid value: "2Mi": must be equal to hugepages-2Mi limit of 3Mi`,
  ],
  [
    'half a device',
    { [`${C}.resources`]: { limits: { 'example.com/gpu': '500m' } } },
    `${PATH}.resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer; ` +
      `${PATH}.resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer`,
  ],
  [
    'a device only requested',
    { [`${C}.resources`]: { requests: { 'example.com/gpu': '1' } } },
    `${PATH}.resources.limits: Required value: Limit must be set for non overcommitable resources`,
  ],
  [
    'unknown claim',
    { [`${C}.resources`]: { claims: [{ name: 'gpu' }] } },
    `${PATH}.resources.claims[0]: Not found: "gpu": must be one of the names in pod.spec.resourceClaims which is empty`,
  ],
  [
    'the pod asks for less than its container',
    { 'spec.resources': { requests: { cpu: '1' } }, [`${C}.resources`]: { requests: { cpu: '2' } } },
    'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
  ],
  [
    'rules without a policy',
    { [`${C}.restartPolicyRules`]: [{ action: 'Restart', exitCodes: { operator: 'In', values: [1] } }] },
    `${PATH}.restartPolicy: Required value: must specify restartPolicy when restart rules are used`,
  ],
  [
    'resize of a disk',
    { [`${C}.resizePolicy`]: [{ resourceName: 'disk', restartPolicy: 'NotRequired' }] },
    `${PATH}.resizePolicy: Unsupported value: "disk": supported values: "cpu", "memory"`,
  ],
  [
    'stop signal on an unknown system',
    { [`${C}.lifecycle`]: { stopSignal: 'SIGUSR1' } },
    `${PATH}.lifecycle.stopSignal: Forbidden: may not be set for containers with empty \`spec.os.name\``,
  ],
  [
    'only the first of two handlers is checked',
    { [`${C}.livenessProbe`]: { exec: { command: [] }, tcpSocket: { port: 0 } } },
    `${PATH}.livenessProbe.exec.command: Required value; ` +
      `${PATH}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type`,
  ],
  [
    'recursive read-only of what may be written',
    { [`${C}.volumeMounts.0.recursiveReadOnly`]: 'Enabled' },
    `${PATH}.volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true`,
  ],
  [
    'a device of a directory',
    { [`${C}.volumeMounts`]: [], [`${C}.volumeDevices`]: [{ name: 'www', devicePath: '/dev/x' }] },
    `${PATH}.volumeDevices[0].name: Invalid value: "www": can only use volume source type of PersistentVolumeClaim ` +
      'or Ephemeral for block mode',
  ],
  [
    'ephemeral containers from the start',
    { 'spec.ephemeralContainers': [{ name: 'debug', image: 'a' }] },
    'spec.ephemeralContainers: Forbidden: cannot be set on create',
  ],
  [
    'host network with another host port',
    {
      'spec.hostNetwork': true,
      [`${C}.ports`]: [{ containerPort: 80, hostPort: 81 }],
    },
    `${PATH}.ports[0].hostPort: Invalid value: 81: must match \`containerPort\` when \`hostNetwork\` is true`,
  ],
  [
    'alias',
    { 'spec.hostAliases': [{ ip: '010.0.0.1', hostnames: ['A'] }] },
    /^spec\.hostAliases\[0\]\.ip: Invalid value: "010\.0\.0\.1": must not have leading 0s; spec\.hostAliases\[0\]\.hostnames\[0\]: Invalid value: "A": a lowercase/,
  ],
  [
    'a gate twice',
    { 'spec.schedulingGates': [{ name: 'a' }, { name: 'a' }] },
    'spec.schedulingGates[1]: Duplicate value: "a"',
  ],
  [
    'users of its own on the network of the node',
    { 'spec.hostUsers': false, 'spec.hostNetwork': true },
    'spec.hostNetwork: Forbidden: when `pod.Spec.HostUsers` is false',
  ],
  [
    'host name twice over',
    { 'spec.hostnameOverride': 'a', 'spec.setHostnameAsFQDN': true },
    'spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true',
  ],
  [
    'sysctl',
    context({ sysctls: [{ name: 'Kernel', value: '1' }] }),
    /^spec\.securityContext\.sysctls\[0\]\.name: Invalid value: "Kernel": must have at most 253 characters and match regex \^/,
  ],
  [
    'sysctl of the node',
    { ...context({ sysctls: [{ name: 'net.core.somaxconn', value: '1' }] }), 'spec.hostNetwork': true },
    'spec.securityContext.sysctls[0].name: Invalid value: "net.core.somaxconn": may not be specified when ' +
      "'hostNetwork' is true",
  ],
  [
    'AppArmor profile',
    context({ appArmorProfile: { type: 'Localhost' } }),
    'spec.securityContext.appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost',
  ],
  [
    'seccomp profile upward',
    context({ seccompProfile: { type: 'Localhost', localhostProfile: '../x' } }),
    'spec.securityContext.seccompProfile.localhostProfile: Invalid value: "../x": must not contain \'..\'',
  ],
  [
    'profile in an annotation that says otherwise',
    {
      'metadata.annotations': { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' },
      ...context({ seccompProfile: { type: 'RuntimeDefault' } }),
    },
    'spec.securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must match',
  ],
  [
    'deletion cost',
    { 'metadata.annotations': { 'controller.kubernetes.io/pod-deletion-cost': '+1' } },
    'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "+1": must be a 32bit integer',
  ],
  [
    'unmasked',
    { [`${C}.securityContext`]: { procMount: 'Unmasked' } },
    `${PATH}.securityContext.procMount: Invalid value: "Unmasked": \`hostUsers\` must be false to use \`Unmasked\``,
  ],
  [
    'Linux on Windows',
    { 'spec.os': { name: 'windows' }, ...context({ fsGroup: 1 }) },
    'spec.securityContext.fsGroup: Forbidden: cannot be set for a windows pod',
  ],
  [
    'system',
    { 'spec.os': { name: 'plan9' } },
    'spec.os: Unsupported value: "plan9": supported values: "linux", "windows"',
  ],
  [
    'keys without a selector',
    { 'spec.topologySpreadConstraints': [{ ...spread(), matchLabelKeys: ['a'] }] },
    'spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set',
  ],
  [
    'the same spread twice',
    { 'spec.topologySpreadConstraints': [spread(), spread()] },
    'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, ScheduleAnyway}"',
  ],
  [
    'a demand for what no label can be',
    preference('a b', true),
    /values\[0\]: Invalid value: "a b": a valid label/,
  ],
  [
    'toleration',
    { 'spec.tolerations': [{ key: 'k', operator: 'Exists', value: 'x' }] },
    'spec.tolerations[0].operator: Invalid value: "x": value must be empty when `operator` is \'Exists\'',
  ],
];

function spread(): object {
  return { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' };
}

for (const [name, changes, expected] of refused) {
  test(`refused: ${name}`, () => {
    const said = refusals(pods, POD, changes).join('; ');
    if (typeof expected === 'string') assert.equal(said, expected);
    else assert.match(said, expected);
  });
}
