import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allResources } from '../../api/resources/all.ts';
import { schemaOf } from '../../api/resources/schema.ts';
import type { StructType } from '../../api/schema/schema.ts';
import { decodeProtobuf } from './decode.ts';
import { encodeProtobuf, encodeProtobufFrame, encodeProtobufList } from './encode.ts';
import { FieldReader } from './wire.ts';

const schema = schemaOf(allResources);
const asKind = (_apiVersion: string, kind: string): StructType | undefined => schema.find(kind);
const roundTrip = (object: { apiVersion: string; kind: string }): object =>
  decodeProtobuf(encodeProtobuf(schema.type(object.kind), object), asKind);

test('what was written reads the same: nested, inlined, maps, quantities, times, bytes, negative numbers', () => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'wéb-0',
      creationTimestamp: '2023-11-14T22:13:20Z',
      labels: { a: '1', b: '' },
      generation: 2 ** 40,
      managedFields: [{ manager: 'm', fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': {} } }],
    },
    spec: {
      volumes: [
        { name: 'data', persistentVolumeClaim: { claimName: 'claim', readOnly: true } },
        { name: 'tmp', emptyDir: {} },
      ],
      containers: [
        {
          name: 'main',
          image: 'i',
          args: ['', 'b'],
          ports: [{ containerPort: 80, protocol: 'TCP' }],
          resources: { limits: { cpu: '500m', memory: '1Gi' } },
          livenessProbe: { httpGet: { port: 'web' }, periodSeconds: 3 },
          readinessProbe: { tcpSocket: { port: 8080 } },
        },
      ],
      priority: -5,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 0,
    },
  };
  assert.deepEqual(roundTrip(pod), pod);
  const ingress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'a' },
    spec: {
      ingressClassName: 'c',
      rules: [
        {
          host: 'a.example.com',
          http: {
            paths: [
              { path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } },
            ],
          },
        },
      ],
    },
    status: { loadBalancer: { ingress: [{ ip: '192.0.2.1', ports: [{ port: 80, protocol: 'TCP' }] }] } },
  };
  assert.deepEqual(roundTrip(ingress), ingress);
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: {}, data: { k: 'AP8=', none: '' } };
  assert.deepEqual(roundTrip(secret), secret);
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {},
    spec: { renewTime: '2023-11-14T22:13:20.123456Z', leaseTransitions: 0 },
  };
  assert.deepEqual(roundTrip(lease), lease);
  const revision = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {},
    data: { a: [1] },
    revision: 3,
  };
  assert.deepEqual(roundTrip(revision), revision);
  const review = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'SelfSubjectReview',
    metadata: {},
    status: { userInfo: { username: 'u', groups: ['g'], extra: { a: ['1', '2'], b: [] } } },
  };
  assert.deepEqual(roundTrip(review), review);
});

test('a message larger than the writer begins with', () => {
  const data = { a: 'x'.repeat(100_000), b: 'y'.repeat(9000) };
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data };
  assert.deepEqual(roundTrip(map), map);
});

test('a list holds its items in their order, a frame its length', () => {
  const items = ['a', 'b'].map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }));
  const list = encodeProtobufList(
    { apiVersion: 'v1', kind: 'ConfigMapList', metadata: { resourceVersion: '7' } },
    schema.type('ConfigMap'),
    items,
  );
  const [, raw] = [...new FieldReader().read(list.subarray(4))];
  const numbers = [...new FieldReader().read(raw?.value as Buffer)].map(({ number }) => number);
  assert.deepEqual(numbers, [1, 2, 2]);
  const body = encodeProtobuf(schema.type('ConfigMap'), { apiVersion: 'v1', kind: 'ConfigMap' });
  const frame = encodeProtobufFrame('ADDED', body);
  assert.equal(frame.readUInt32BE(0), frame.length - 4);
  const [type, object] = [...new FieldReader().read(frame.subarray(4))];
  assert.equal(String(type?.value), 'ADDED');
  const [inner] = [...new FieldReader().read(object?.value as Buffer)];
  assert.ok(body.equals(inner?.value as Buffer));
});
