import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '../../api/objects.ts';
import { allResources } from '../../api/resources/all.ts';
import { schemaOf } from '../../api/resources/schema.ts';
import { decode } from '../../api/schema/decode.ts';
import { isStruct } from '../../base/struct.ts';
import { createdFields } from './created-fields.ts';
import { changesOf } from './managed-fields.ts';

const schema = schemaOf(allResources);
const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web-0',
    namespace: 'default',
    labels: { app: 'web', 'odd "key"': 'x' },
    annotations: {},
    finalizers: ['a/b', 'a/c'],
    ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u' }],
  },
  spec: {
    nodeSelector: { disk: 'ssd' },
    containers: [
      {
        name: 'nginx',
        image: 'nginx',
        args: ['a', 'b'],
        ports: [
          { containerPort: 80, name: 'web' },
          { containerPort: 80, protocol: 'UDP' },
          { containerPort: 80 },
        ],
        env: [
          { name: 'A', value: '' },
          { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ],
        resources: { requests: { cpu: '1', memory: '1Gi' }, limits: {} },
        securityContext: { capabilities: { drop: ['ALL'] } },
        volumeMounts: [{ name: 'www', mountPath: '/x' }],
      },
      { name: 'side', image: 'b' },
    ],
    securityContext: {},
    tolerations: [{ operator: 'Exists' }],
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'k', whenUnsatisfiable: 'DoNotSchedule' }],
    volumes: [
      { name: 'www', persistentVolumeClaim: { claimName: 'www-web-0' } },
      { name: 'tmp', emptyDir: {} },
    ],
  },
  status: { phase: 'Pending' },
};
const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', labels: {} },
  spec: { clusterIP: 'None', ports: [{ port: 80 }, { port: 81, protocol: 'UDP' }], selector: { app: 'web' } },
};
const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { a: '1', b: '' } };

/** The object with some of its parts left out, by the numbers. */
function thinned(value: unknown, numbers: Iterator<number>): unknown {
  const keep = (): boolean => numbers.next().value > 2;
  if (Array.isArray(value)) return value.filter(keep).map((item) => thinned(item, numbers));
  if (!isStruct(value)) return value;
  const kept = Object.entries(value).filter(([key]) => key === 'metadata' || key === 'name' || keep());
  return Object.fromEntries(kept.map(([key, part]) => [key, thinned(part, numbers)]));
}

function* endless(numbers: readonly number[]): Generator<number, never> {
  for (let at = 0; ; at++) yield numbers[at % numbers.length] ?? 9;
}

for (const [kind, whole] of Object.entries({ Pod: POD, Service: SERVICE, ConfigMap: CONFIG_MAP })) {
  test(`the creator of a ${kind} owns what comparing it with an empty one finds`, () => {
    const type = schema.type(kind);
    const empty = decode(type, {}, 'Ignore').object;
    const hasStatus = kind !== 'ConfigMap';
    const check = (object: KubeObject): void => {
      const { added, modified } = changesOf(type, undefined, empty, object);
      const expected = JSON.stringify(added.union(modified).toJSON());
      assert.equal(createdFields(type, empty, object, hasStatus), expected);
    };
    check(decode(type, whole, 'Ignore').object);
    check(empty);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 5, maxLength: 60 }), (numbers) => {
        check(decode(type, thinned(whole, endless(numbers)), 'Ignore').object);
      }),
    );
  });
}
