import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StatusError } from '../errors.ts';
import type { KubeObject } from '../objects.ts';
import { allResources } from '../resources/all.ts';
import { schemaOf } from '../resources/schema.ts';
import { decode, type FieldValidation } from './decode.ts';
import { applyDefaults } from './defaults.ts';

const schema = schemaOf(allResources);

const decoded = (type: string, value: unknown, validation: FieldValidation = 'Strict'): KubeObject =>
  decode(schema.type(type), value, validation).object;

function refusal(type: string, value: unknown, validation: FieldValidation = 'Ignore'): string {
  try {
    decode(schema.type(type), value, validation);
  } catch (error) {
    assert.ok(error instanceof StatusError);
    assert.equal(error.code, 400);
    return error.message;
  }
  return assert.fail('not refused');
}

function defaulted(type: string, value: unknown): KubeObject {
  const object = decoded(type, value);
  applyDefaults(schema.type(type), object);
  return object;
}

const statefulSet = (spec: object): object => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'web' },
  spec,
});

test('every fact names a field of the schema', () => {
  const reached = new Set(allResources.map((resource) => schema.type(resource.schema)));
  for (const type of reached) {
    for (const [name, field] of type.fields) {
      const path = `${type.name}.${name}`;
      const below = type.typeBelow(field);
      if (below) reached.add(below);
      const keys = [...(field.listKeys ?? []), ...(field.mergeKey ? [field.mergeKey] : [])];
      for (const key of keys) assert.ok(below?.field(key), `${path} by ${key}`);
      assert.ok(field.type === 'array' || keys.length + Number(field.set ?? 0) === 0, path);
    }
    const names = type.declared.numbers?.replace(/\d+:|>\(|\)/g, '').split(' ') ?? [];
    for (const name of names) assert.ok(type.field(name), `${type.name}.${name}`);
  }
});

test('a kind brings the types of its fields, and is served without any other', () => {
  for (const resource of allResources) {
    const own = schemaOf([resource]);
    const reached = new Set([own.type(resource.schema)]);
    for (const type of reached) {
      for (const [, field] of type.fields) {
        const below = type.typeBelow(field);
        if (below) reached.add(below);
      }
    }
  }
});

test('types are checked with Go’s messages', () => {
  assert.equal(
    refusal('StatefulSet', statefulSet({ replicas: 'two' })),
    'StatefulSet in version "v1" cannot be handled as a StatefulSet: json: cannot unmarshal string into Go struct field StatefulSetSpec.spec.replicas of type int32',
  );
  const pod = (container: object): object => ({
    kind: 'Pod',
    apiVersion: 'v1',
    spec: { containers: [container] },
  });
  const field = (value: object): string =>
    refusal('Pod', pod(value)).replace(/^.*json: cannot unmarshal /, '');
  assert.equal(
    field({ env: [{ name: 'a', value: 1 }] }),
    'number into Go struct field EnvVar.spec.containers.env.value of type string',
  );
  assert.equal(
    field({ ports: [{ containerPort: 1.5 }] }),
    'number 1.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
  );
  assert.equal(
    field({ ports: [{ containerPort: 2 ** 31 }] }),
    'number 2147483648 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
  );
  assert.equal(
    field({ ports: {} }),
    'object into Go struct field Container.spec.containers.ports of type []v1.ContainerPort',
  );
  assert.equal(
    field({ resources: [] }),
    'array into Go struct field Container.spec.containers.resources of type v1.ResourceRequirements',
  );
  assert.match(
    refusal('ConfigMap', { metadata: { labels: { a: true } } }),
    /bool into Go struct field ObjectMeta\.metadata\.labels of type string$/,
  );
  assert.match(
    refusal('Pod', pod({ resources: { limits: { cpu: 'x' } } })),
    /quantities must match the regular/,
  );
  assert.match(refusal('Secret', { data: { a: '!' } }), /illegal base64 data at input byte 0$/);
  assert.match(refusal('Lease', { spec: { renewTime: 'now' } }), /^Lease .* parsing time "now" as /);
  assert.match(refusal('Pod', 'x'), /cannot unmarshal string into Go value of type v1\.Pod$/);
});

test('unknown fields are pruned, reported, or refused', () => {
  const value = statefulSet({ replica: 2, template: { spec: { containers: [{ name: 'a', imge: 'b' }] } } });
  assert.equal(
    refusal('StatefulSet', value, 'Strict'),
    'StatefulSet in version "v1" cannot be handled as a StatefulSet: strict decoding error: unknown field "spec.replica", unknown field "spec.template.spec.containers[0].imge"',
  );
  const { object, warnings } = decode(schema.type('StatefulSet'), value, 'Warn');
  assert.deepEqual(warnings, [
    'unknown field "spec.replica"',
    'unknown field "spec.template.spec.containers[0].imge"',
  ]);
  assert.doesNotMatch(JSON.stringify(object), /imge|"replica"/);
  assert.deepEqual(decode(schema.type('StatefulSet'), value, 'Ignore').warnings, []);
  assert.doesNotThrow(() =>
    decode(schema.type('ConfigMap'), JSON.parse('{"data":{"__proto__":"x"}}'), 'Strict'),
  );
  const map = decoded('ConfigMap', JSON.parse('{"data":{"__proto__":"x"}}'));
  assert.equal(JSON.stringify(map), '{"data":{"__proto__":"x"},"metadata":{}}');
});

test('an object has one form, whoever wrote it', () => {
  const plain = statefulSet({
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'b' }] } },
  });
  const verbose = {
    ...statefulSet({
      selector: { matchLabels: { a: 'b' } },
      serviceName: '',
      template: {
        metadata: { creationTimestamp: null, labels: { a: 'b' }, annotations: {} },
        spec: {
          hostNetwork: false,
          volumes: [],
          containers: [{ name: 'a', image: 'b', resources: {}, ports: null, command: [] }],
        },
      },
      updateStrategy: {},
      volumeClaimTemplates: null,
    }),
    status: { replicas: 0 },
  };
  assert.deepEqual(decoded('StatefulSet', verbose), decoded('StatefulSet', plain));
});

test('zero is kept where it is a value of its own', () => {
  const object = decoded('StatefulSet', statefulSet({ replicas: 0, minReadySeconds: 0 }));
  assert.deepEqual(object, {
    ...statefulSet({
      replicas: 0,
      serviceName: '',
      template: { metadata: {}, spec: { containers: [] } },
      updateStrategy: {},
    }),
    status: { availableReplicas: 0, replicas: 0 },
  });
});

test('quantities, times and bytes get their canonical form', () => {
  const pod = decoded('Pod', {
    metadata: { creationTimestamp: '2026-01-01T01:00:00.5+01:00' },
    spec: { containers: [{ name: 'a', resources: { limits: { cpu: 0.5, memory: '1024Mi', x: '1u' } } }] },
  });
  assert.match(JSON.stringify(pod), /"limits":\{"cpu":"500m","memory":"1Gi","x":"1m"\}/);
  assert.equal(pod.metadata.creationTimestamp, '2026-01-01T00:00:00Z');
  const lease = decoded('Lease', { spec: { renewTime: '2026-01-01T00:00:00.123Z' } });
  assert.match(JSON.stringify(lease), /"renewTime":"2026-01-01T00:00:00.123000Z"/);
});

test('a pod’s defaults', () => {
  const pod = defaulted('Pod', {
    spec: {
      hostNetwork: true,
      serviceAccountName: 'x',
      containers: [
        {
          name: 'a',
          image: 'registry:5000/nginx',
          ports: [{ containerPort: 80 }],
          readinessProbe: { httpGet: { port: 'web' } },
          resources: { limits: { cpu: '1' } },
          env: [{ name: 'N', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        },
        { name: 'b', image: 'nginx:1', livenessProbe: { exec: { command: ['true'] }, periodSeconds: 3 } },
        { name: 'c', image: 'nginx@sha256:0' },
      ],
      volumes: [
        { name: 'v' },
        { name: 'c', configMap: { name: 'c' } },
        { name: 'h', hostPath: { path: '/' } },
      ],
    },
  });
  const container = { terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' };
  const probe = { failureThreshold: 3, successThreshold: 1, timeoutSeconds: 1 };
  assert.deepEqual(pod, {
    metadata: {},
    spec: {
      hostNetwork: true,
      serviceAccountName: 'x',
      serviceAccount: 'x',
      enableServiceLinks: true,
      dnsPolicy: 'ClusterFirst',
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      securityContext: {},
      terminationGracePeriodSeconds: 30,
      containers: [
        {
          ...container,
          name: 'a',
          image: 'registry:5000/nginx',
          imagePullPolicy: 'Always',
          ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }],
          readinessProbe: {
            ...probe,
            periodSeconds: 10,
            httpGet: { path: '/', port: 'web', scheme: 'HTTP' },
          },
          resources: { limits: { cpu: '1' }, requests: { cpu: '1' } },
          env: [{ name: 'N', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } }],
        },
        {
          ...container,
          name: 'b',
          image: 'nginx:1',
          imagePullPolicy: 'IfNotPresent',
          livenessProbe: { ...probe, periodSeconds: 3, exec: { command: ['true'] } },
          resources: {},
        },
        { ...container, name: 'c', image: 'nginx@sha256:0', imagePullPolicy: 'IfNotPresent', resources: {} },
      ],
      volumes: [
        { name: 'v', emptyDir: {} },
        { name: 'c', configMap: { name: 'c', defaultMode: 420 } },
        { name: 'h', hostPath: { path: '/', type: '' } },
      ],
    },
    status: {},
  });
});

test('what a pod asks for itself is filled in from its containers and its limits', () => {
  const resources = (own: object, ...containers: object[]): unknown =>
    Reflect.get(
      Reflect.get(
        defaulted('Pod', {
          spec: {
            resources: own,
            containers: containers.map((it, index) => ({ name: `c${index}`, image: 'a', resources: it })),
          },
        }),
        'spec',
      ) as object,
      'resources',
    );
  const limits = { cpu: '4', memory: '4Gi' };
  assert.deepEqual(resources({ limits }, { requests: { cpu: '500m' } }, { requests: { cpu: '1' } }), {
    limits,
    requests: { cpu: '1500m', memory: '4Gi' },
  });
  assert.deepEqual(
    resources({ requests: { cpu: '2' } }, { limits: { cpu: '1', memory: '1Gi' } }, { limits: { cpu: '1' } }),
    { limits: { cpu: '2' }, requests: { cpu: '2' } },
  );
  assert.deepEqual(resources({ requests: { cpu: '2' } }, { limits: { 'hugepages-2Mi': '4Mi', cpu: '1' } }), {
    limits: { 'hugepages-2Mi': '4Mi' },
    requests: { cpu: '2', 'hugepages-2Mi': '4Mi' },
  });
  assert.deepEqual(resources({}, { limits: { cpu: '1' } }), {});
});

test('a stateful set’s defaults, with its template and claims', () => {
  const set = defaulted(
    'StatefulSet',
    statefulSet({
      template: { spec: { containers: [{ name: 'a', image: 'b:1' }] } },
      volumeClaimTemplates: [{ metadata: { name: 'www' }, spec: { accessModes: ['ReadWriteOnce'] } }],
    }),
  );
  const text = JSON.stringify(set);
  assert.doesNotMatch(text, /enableServiceLinks/, 'only pods have that default');
  assert.match(
    text,
    /"updateStrategy":\{"type":"RollingUpdate","rollingUpdate":\{"partition":0,"maxUnavailable":1\}\}/,
  );
  assert.match(text, /"replicas":1,"revisionHistoryLimit":10/);
  assert.match(
    text,
    /"persistentVolumeClaimRetentionPolicy":\{"whenDeleted":"Retain","whenScaled":"Retain"\}/,
  );
  assert.match(
    text,
    /"volumeClaimTemplates":\[\{"metadata":\{"name":"www"\},"spec":\{"accessModes":\["ReadWriteOnce"\]\}\}\]/,
    'claim templates stay as they were written',
  );
  const again = decoded('StatefulSet', JSON.parse(text));
  applyDefaults(schema.type('StatefulSet'), again);
  assert.deepEqual(again, set, 'defaulting twice changes nothing');

  const onDelete = defaulted('StatefulSet', statefulSet({ updateStrategy: { type: 'OnDelete' } }));
  assert.match(JSON.stringify(onDelete), /"updateStrategy":\{"type":"OnDelete"\}/);
});

test('services, secrets, namespaces and volumes', () => {
  const { spec, status } = defaulted('Service', { spec: { ports: [{ port: 80 }] } }) as unknown as {
    spec: object;
    status: object;
  };
  assert.deepEqual(spec, {
    internalTrafficPolicy: 'Cluster',
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    sessionAffinity: 'None',
    type: 'ClusterIP',
  });
  assert.deepEqual(status, { loadBalancer: {} });
  assert.deepEqual(defaulted('Secret', { stringData: { a: 'b' }, data: { a: 'eA==', c: '' } }), {
    data: { a: 'Yg==', c: '' },
    metadata: {},
    type: 'Opaque',
  });
  assert.deepEqual(defaulted('Namespace', { metadata: { name: 'x' } }), {
    metadata: { name: 'x', labels: { 'kubernetes.io/metadata.name': 'x' } },
    spec: {},
    status: { phase: 'Active' },
  });
  assert.match(JSON.stringify(defaulted('PersistentVolume', {})), /"persistentVolumeReclaimPolicy":"Retain"/);
  assert.match(
    JSON.stringify(defaulted('StorageClass', { provisioner: 'x' })),
    /"volumeBindingMode":"Immediate"/,
  );
});
