// What holds for every pod: one that is accepted is so again after it was written and read, and whatever a client
// sends, validation says what is wrong with it and does not fail.

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { StatusError } from '../../../errors.ts';
import type { Pod } from '../../../generated/types.ts';
import { decode } from '../../../schema/decode.ts';
import { applyDefaults } from '../../../schema/defaults.ts';
import { allResources } from '../../all.ts';
import { schemaOf } from '../../schema.ts';
import { pods } from '../definition.ts';

const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/);
const amount = fc.constantFrom('100m', '1', '64Mi', '1Gi', '1e3');
const port = fc.integer({ min: 1, max: 65_535 });
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });

const source = fc.oneof(
  fc.constant({ emptyDir: {} }),
  label.map((name) => ({ configMap: { name, items: [{ key: 'k', path: 'a/b' }] } })),
  label.map((secretName) => ({ secret: { secretName, defaultMode: 0o400 } })),
  label.map((claimName) => ({ persistentVolumeClaim: { claimName } })),
  fc.constant({ hostPath: { path: '/tmp', type: 'Directory' } }),
  fc.constant({ projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }),
);
const variable = fc.oneof(
  fc.record({ name: label, value: fc.string() }),
  label.map((name) => ({ name, valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } })),
  label.map((name) => ({ name, valueFrom: { secretKeyRef: { name, key: 'k' } } })),
);
const probe = fc.record({
  httpGet: port.map((number) => ({ port: number })),
  periodSeconds: fc.integer({ min: 0, max: 60 }),
});
const container = fc.record(
  {
    image: fc.constantFrom('nginx:1', 'busybox', 'a.b/c@sha256:0'),
    ports: fc
      .uniqueArray(port, { maxLength: 3 })
      .map((all) => all.map((containerPort) => ({ containerPort }))),
    env: fc.array(variable, { maxLength: 3 }),
    readinessProbe: optional(probe),
    resources: optional(fc.record({ requests: fc.record({ cpu: amount, memory: amount }) })),
    securityContext: optional(fc.record({ runAsUser: fc.nat(), readOnlyRootFilesystem: fc.boolean() })),
  },
  { requiredKeys: ['image'] },
);
const toleration = fc.oneof(
  fc.constant({ operator: 'Exists' }),
  fc.record({ key: label, value: label, effect: fc.constantFrom('NoSchedule', 'NoExecute') }),
);

const manifest = fc
  .record({
    containers: fc.array(container, { minLength: 1, maxLength: 3 }),
    initContainers: fc.array(container, { maxLength: 1 }),
    volumes: fc.array(source, { maxLength: 3 }),
    tolerations: fc.array(toleration, { maxLength: 2 }),
    restartPolicy: fc.constantFrom('Always', 'Never', 'OnFailure'),
    hostname: optional(label),
    terminationGracePeriodSeconds: optional(fc.nat(600)),
  })
  .map(({ containers, initContainers, volumes, ...spec }) => {
    const mounts = volumes.map((_, index) => ({ name: `v${index}`, mountPath: `/v${index}` }));
    // Only long-running containers are asked whether they are ready.
    const init = initContainers.map(({ readinessProbe: _, ...rest }, index) => ({
      name: `i${index}`,
      ...rest,
    }));
    return {
      metadata: { name: 'web-0', namespace: 'default' },
      spec: {
        ...spec,
        serviceAccountName: 'default',
        initContainers: init,
        containers: containers.map((it, index) => ({ name: `c${index}`, ...it, volumeMounts: mounts })),
        volumes: volumes.map((it, index) => ({ name: `v${index}`, ...it })),
      },
    };
  });

const podType = schemaOf(allResources).type('Pod');

function read(json: unknown): Pod {
  const { object } = decode(podType, JSON.parse(JSON.stringify(json)), 'Strict');
  applyDefaults(podType, object);
  // The schema's name is the kind's.
  return object as Pod;
}
const said = (pod: Pod): string[] =>
  (pods.strategy.validateCreate?.(pod) ?? []).map(({ field, body }) => `${field}: ${body}`);

test('a pod that is accepted is the same, and accepted, after it was written and read', () => {
  fc.assert(
    fc.property(manifest, (json) => {
      const pod = read(json);
      assert.deepEqual(said(pod), []);
      const again = read(pod);
      assert.deepEqual(again, pod);
      assert.deepEqual(said(again), []);
      assert.deepEqual(
        (pods.strategy.validateUpdate?.(again, pod) ?? []).map(({ body }) => body),
        [],
      );
    }),
    { numRuns: 200 },
  );
});

/** Every place in a JSON value, as the steps to it. */
function places(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => places(inner, [...path, key]))];
}

function changed(json: unknown, path: readonly string[], value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const copy: unknown = structuredClone(json);
  if (typeof copy !== 'object' || copy === null) return copy;
  Reflect.set(copy, step, changed(Reflect.get(copy, step), rest, value));
  return copy;
}

test('whatever stands in a field, validation and warnings answer', () => {
  const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('', '..', -1, 2 ** 31, [{}], {}, null));
  fc.assert(
    fc.property(manifest, fc.nat(), odd, (json, pick, value) => {
      const all = places(json);
      const bad = changed(json, all[pick % all.length] ?? [], value);
      let pod: Pod;
      try {
        pod = read(bad);
      } catch (error) {
        assert.ok(error instanceof StatusError, String(error));
        return;
      }
      said(pod);
      pods.strategy.warnings?.(pod);
      pods.strategy.validateUpdate?.(pod, read(json));
    }),
    { numRuns: 500 },
  );
});
