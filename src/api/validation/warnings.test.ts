// What is let through with a warning.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubeObject } from '../objects.ts';
import type { ResourceDefinition } from '../resource.ts';
import { persistentVolumeClaims } from '../resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../resources/persistent-volumes/definition.ts';
import { podTemplates } from '../resources/pod-templates/definition.ts';
import { pods } from '../resources/pods/definition.ts';
import { services } from '../resources/services/definition.ts';
import { statefulSets } from '../resources/stateful-sets/definition.ts';
import { storageClasses } from '../resources/storage-classes/definition.ts';
import { type Changes, created } from './test-manifests.ts';

function warned<T extends KubeObject>(
  resource: ResourceDefinition<T>,
  yaml: string,
  changes: Changes = {},
): string[] {
  const object = created(resource, yaml, changes);
  return [...(resource.strategy.warnings?.(object) ?? [])];
}

const POD = `
metadata: {name: web-0, namespace: default}
spec: {containers: [{name: a, image: 'a:1'}, {name: b, image: 'b:1'}]}`;
const C = 'spec.containers.0';
const PATH = 'spec.containers[0]';

const pod: readonly [string, Changes, string[]][] = [
  ['nothing', {}, []],
  [
    'a name with dots',
    { 'metadata.name': 'web.0' },
    [
      "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is " +
        'recommended: [must not contain dots]',
    ],
  ],
  [
    'a variable that hides another',
    {
      [`${C}.env`]: [
        { name: 'A', value: '1' },
        { name: 'A', value: '$(A)2' },
        { name: 'A', value: '3' },
      ],
    },
    [`${PATH}.env[2]: hides previous definition of "A", which may be dropped when using apply`],
  ],
  [
    'part of a byte',
    { [`${C}.resources`]: { requests: { memory: '500m', cpu: '500m' } } },
    [`${PATH}.resources.requests[memory]: fractional byte value "500m" is invalid, must be an integer`],
  ],
  [
    'an old label',
    { 'spec.nodeSelector': { 'beta.kubernetes.io/os': 'linux' } },
    ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
  ],
  [
    'a selector of nothing',
    {
      'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution': [{ topologyKey: 'a' }],
      'spec.topologySpreadConstraints': [
        { maxSkew: 1, topologyKey: 'a', whenUnsatisfiable: 'DoNotSchedule' },
      ],
    },
    [
      'spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod',
      'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null ' +
        'labelSelector results in matching no pod',
    ],
  ],
  [
    'ports',
    {
      [`${C}.ports`]: [{ containerPort: 80, hostIP: '10.0.0.1' }],
      'spec.containers.1.ports': [{ containerPort: 80 }],
    },
    [
      `${PATH}.ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}`,
      'spec.containers[1].ports[0]: overlapping port definition with spec.containers[0].ports[0]',
    ],
  ],
  [
    'volumes that no longer work',
    { 'spec.volumes': [{ name: 'a', rbd: { image: 'a', monitors: ['m'] } }] },
    ['spec.volumes[0].rbd: deprecated in v1.28, non-functional in v1.31+'],
  ],
  [
    'names',
    {
      'spec.imagePullSecrets': [{ name: 'a' }, { name: 'a' }, {}],
      'spec.hostAliases': [{ ip: '10.0.0.1' }, { ip: '10.0.0.1' }],
    },
    [
      'spec.hostAliases[1].ip: duplicate ip "10.0.0.1"',
      'spec.imagePullSecrets[1].name: duplicate name "a"',
      'spec.imagePullSecrets[2].name: invalid empty name ""',
    ],
  ],
  [
    'negative grace',
    { 'spec.terminationGracePeriodSeconds': -1 },
    [
      'spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1',
    ],
  ],
  [
    'an old annotation',
    { 'metadata.annotations': { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' } },
    [
      'metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the ' +
        '"seccompProfile" field instead',
    ],
  ],
];
for (const [name, changes, expected] of pod) {
  test(`pod: ${name}`, () => assert.deepEqual(warned(pods, POD, changes), expected));
}

test('templates are named; sets are told again only when their spec changes', () => {
  const template =
    '{spec: {nodeSelector: {beta.kubernetes.io/os: linux}, containers: [{name: a, image: a}]}}';
  const old = 'nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead';
  assert.deepEqual(warned(podTemplates, `metadata: {name: a}\ntemplate: ${template}`), [
    `template.spec.${old}`,
  ]);
  const yaml = `metadata: {name: a, generation: 1}\nspec: {template: ${template}}`;
  assert.deepEqual(warned(statefulSets, yaml), [`spec.template.spec.${old}`]);
  const set = created(statefulSets, yaml);
  assert.deepEqual(statefulSets.strategy.warnings?.(set, set), []);
});

test('services, claims, volumes, classes', () => {
  const service = 'metadata: {name: a}\nspec: {clusterIP: None, ports: [{port: 80}]}';
  assert.deepEqual(warned(services, service), []);
  assert.deepEqual(
    warned(services, service, { 'spec.sessionAffinity': 'ClientIP', 'spec.externalName': 'a.b' }),
    [
      'spec.SessionAffinity is ignored for headless services',
      'spec.externalName is ignored when spec.type is not "ExternalName"',
    ],
  );
  assert.deepEqual(warned(services, service, { 'spec.clusterIP': undefined }), []);
  assert.deepEqual(warned(services, service, { 'spec.clusterIP': undefined, 'spec.type': 'NodePort' }), []);
  assert.deepEqual(
    warned(services, service, { 'spec.clusterIP': undefined, 'spec.type': 'LoadBalancer' }),
    [],
  );
  const claim = 'metadata: {name: a}\nspec: {resources: {requests: {storage: 1500m}}}';
  assert.deepEqual(warned(persistentVolumeClaims, claim), [
    'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
  ]);
  const volume = 'metadata: {name: a}\nspec: {persistentVolumeReclaimPolicy: Recycle, hostPath: {path: /a}}';
  assert.match(`${warned(persistentVolumes, volume)}`, /^spec\.persistentVolumeReclaimPolicy: The Recycle/);
  const zone = 'failure-domain.beta.kubernetes.io/zone';
  const storageClass = `metadata: {name: a}\nallowedTopologies: [{matchLabelExpressions: [{key: ${zone}, values: [a]}]}]`;
  assert.deepEqual(warned(storageClasses, storageClass), [
    `allowedTopologies[0].matchLabelExpressions[0].key: ${zone} is deprecated since v1.17; use ` +
      '"topology.kubernetes.io/zone" instead',
  ]);
});
