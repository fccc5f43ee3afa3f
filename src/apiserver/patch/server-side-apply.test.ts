import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StatusError } from '../../api/errors.ts';
import type { ManagedFieldsEntry } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/objects.ts';
import { allResources } from '../../api/resources/all.ts';
import { schemaOf } from '../../api/resources/schema.ts';
import { present } from '../../base/present.ts';
import { FieldSet } from './field-set.ts';
import { trackUpdate } from './managed-fields.ts';
import { applyPatch } from './patch.ts';

const T0 = Date.parse('2026-01-01T00:00:00Z');
const statefulSetType = schemaOf(allResources).type('StatefulSet');
const NEW: KubeObject = { metadata: {} };

const set = (spec: object, metadata: object = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'web', namespace: 'default', ...metadata },
  ...{ spec },
});

interface How {
  manager?: string;
  force?: boolean;
  nowMs?: number;
}

const apply = (
  live: KubeObject,
  patch: unknown,
  { manager = 'me', force = false, nowMs = T0 }: How = {},
): KubeObject => applyPatch('apply', statefulSetType, live, patch, { manager, force, nowMs });

function refusal(run: () => unknown): StatusError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    return error;
  }
  return assert.fail('not refused');
}

/** The object without its managedFields, and those apart. */
function split(object: KubeObject): { object: unknown; managed: ManagedFieldsEntry[] } {
  const { managedFields = [], ...metadata } = object.metadata;
  return { object: { ...object, metadata }, managed: managedFields };
}

/** A non-apply write, as the update pipeline does it. */
function write(
  live: KubeObject | undefined,
  next: KubeObject,
  manager: string,
  subresource?: string,
): KubeObject {
  const managedFields = trackUpdate(statefulSetType, live, next, { manager, nowMs: T0, subresource });
  return { ...next, metadata: present({ ...next.metadata, managedFields }) };
}

const container = (name: string, image: string): object => ({ name, image });
const template = (...containers: object[]): object => ({ template: { spec: { containers } } });

test('applying for the first time owns exactly what was applied', () => {
  const { object, managed } = split(apply(NEW, set({ replicas: 2, ...template(container('a', 'x')) })));
  assert.deepEqual(object, set({ replicas: 2, ...template(container('a', 'x')) }));
  assert.deepEqual(managed, [
    {
      apiVersion: 'apps/v1',
      manager: 'me',
      operation: 'Apply',
      time: '2026-01-01T00:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:spec': {
          'f:replicas': {},
          'f:template': {
            'f:spec': { 'f:containers': { 'k:{"name":"a"}': { '.': {}, 'f:image': {}, 'f:name': {} } } },
          },
        },
      },
    },
  ]);
});

test('what is no longer applied is removed, down to items of lists and keys of maps', () => {
  const first = apply(
    NEW,
    set(
      { replicas: 2, ...template(container('a', 'x'), container('b', 'y')) },
      { labels: { k: 'v', l: 'w' } },
    ),
  );
  const second = apply(first, set({ ...template(container('b', 'y')) }, { labels: { l: 'w' } }));
  assert.deepEqual(split(second).object, set({ ...template(container('b', 'y')) }, { labels: { l: 'w' } }));
});

test('what others own too stays when one stops applying it', () => {
  const mine = apply(NEW, set({ replicas: 2, minReadySeconds: 1 }));
  const both = apply(mine, set({ replicas: 2 }), { manager: 'other' });
  const left = apply(both, set({ minReadySeconds: 1 }));
  assert.deepEqual(split(left).object, set({ replicas: 2, minReadySeconds: 1 }));
  assert.deepEqual(
    split(left).managed.map(({ manager, fieldsV1 }) => [manager, JSON.stringify(fieldsV1)]),
    [
      ['me', '{"f:spec":{"f:minReadySeconds":{}}}'],
      ['other', '{"f:spec":{"f:replicas":{}}}'],
    ],
  );
});

test('another value of another’s field is a conflict, with upstream’s message', () => {
  const live = write(undefined, set({ replicas: 1, ...template(container('a', 'x')) }), 'kubectl-create');
  const conflict = refusal(() => apply(live, set({ replicas: 3 })));
  assert.equal(conflict.code, 409);
  assert.equal(
    conflict.message,
    'Apply failed with 1 conflict: conflict with "kubectl-create" using apps/v1: .spec.replicas',
  );
  assert.deepEqual(conflict.status.details?.causes, [
    {
      reason: 'FieldManagerConflict',
      message: 'conflict with "kubectl-create" using apps/v1',
      field: '.spec.replicas',
    },
  ]);
  const two = refusal(() => apply(live, set({ replicas: 3, ...template(container('a', 'z')) })));
  assert.equal(
    two.message,
    'Apply failed with 2 conflicts: conflicts with "kubectl-create" using apps/v1:\n- .spec.replicas\n- .spec.template.spec.containers[name="a"].image',
  );
});

test('the same value is shared; force takes a field from its owner', () => {
  const live = write(undefined, set({ replicas: 1, minReadySeconds: 5 }), 'kubectl-create');
  assert.equal(split(apply(live, set({ replicas: 1 }))).managed.length, 2);
  const forced = split(apply(live, set({ replicas: 3 }), { force: true }));
  assert.deepEqual(forced.object, set({ replicas: 3, minReadySeconds: 5 }));
  assert.deepEqual(
    forced.managed.map(({ manager, fieldsV1 }) => [manager, JSON.stringify(fieldsV1)]),
    [
      ['me', '{"f:spec":{"f:replicas":{}}}'],
      ['kubectl-create', '{"f:spec":{"f:minReadySeconds":{}}}'],
    ],
  );
});

test('an update takes what it changes, and leaves the rest to its owners', () => {
  const applied = apply(NEW, set({ replicas: 1, minReadySeconds: 1 }));
  const scaled = write(applied, set({ replicas: 5, minReadySeconds: 1 }), 'autoscaler', 'scale');
  assert.deepEqual(
    split(scaled).managed.map(({ manager, operation, subresource, fieldsV1 }) => [
      manager,
      operation,
      subresource,
      JSON.stringify(fieldsV1),
    ]),
    [
      ['me', 'Apply', undefined, '{"f:spec":{"f:minReadySeconds":{}}}'],
      ['autoscaler', 'Update', 'scale', '{"f:spec":{"f:replicas":{}}}'],
    ],
  );
  const same = write(scaled, { ...scaled }, 'nobody');
  assert.deepEqual(
    same.metadata.managedFields,
    scaled.metadata.managedFields,
    'nothing changed, nothing taken',
  );
  assert.match(
    refusal(() => apply(scaled, set({ replicas: 1, minReadySeconds: 1 }))).message,
    /with subresource "scale"/,
  );
});

test('status is owned by who writes status', () => {
  const live = write(undefined, { ...set({ replicas: 1 }), ...{ status: {} } }, 'me');
  const next = { ...live, ...{ status: { replicas: 1 } } };
  const written = write(live, next, 'controller', 'status');
  assert.deepEqual(
    split(written).managed.map(({ manager, fieldsV1 }) => [manager, JSON.stringify(fieldsV1)]),
    [
      ['controller', '{"f:status":{"f:replicas":{}}}'],
      ['me', '{"f:spec":{"f:replicas":{}}}'],
    ],
  );
});

test('an object from before managedFields belongs to who was there before', () => {
  const live = set({ replicas: 1 });
  assert.match(
    refusal(() => apply(live, set({ replicas: 2 }))).message,
    /"before-first-apply" using apps\/v1: \.spec\.replicas$/,
  );
  assert.equal(split(apply(live, set({ replicas: 1 }))).managed.length, 2);
});

test('atomic lists and structs are owned whole, set lists by value', () => {
  const patch = set(
    {
      selector: { matchLabels: { a: 'b' } },
      template: { spec: { containers: [{ name: 'a', args: ['1', '2'] }] } },
    },
    { finalizers: ['x/y'] },
  );
  const { managed } = split(apply(NEW, patch));
  const text = JSON.stringify(managed[0]?.fieldsV1);
  assert.match(text, /"f:selector":\{\}/);
  assert.match(text, /"f:args":\{\}/);
  assert.match(text, /"f:finalizers":\{"v:\\"x\/y\\"":\{\}\}/);
});

test('ports are told apart by port and protocol, TCP where none is given', () => {
  const ports = (...list: object[]): object => template({ name: 'a', ports: list });
  const live = apply(NEW, set(ports({ containerPort: 53, protocol: 'UDP' }, { containerPort: 53 })));
  assert.match(JSON.stringify(split(live).managed), /k:\{\\"containerPort\\":53,\\"protocol\\":\\"TCP\\"\}/);
  const left = apply(live, set(ports({ containerPort: 53, protocol: 'UDP' })));
  assert.deepEqual(split(left).object, set(ports({ containerPort: 53, protocol: 'UDP' })));
});

test('items of others keep their place', () => {
  const live = write(
    undefined,
    set(template(container('injected', 'i'), container('a', 'x'), container('z', 'z'))),
    'hook',
  );
  const next = apply(live, set(template(container('new', 'n'), container('a', 'x'))));
  const names = [...JSON.stringify(split(next).object).matchAll(/"name":"(\w+)","image"/g)].map(
    ([, name]) => name,
  );
  assert.deepEqual(names, ['injected', 'new', 'a', 'z']);
});

test('a configuration that does not fit the schema is refused', () => {
  assert.match(
    refusal(() => apply(NEW, set({ replica: 1 }))).message,
    /^failed to create typed patch object \(default\/web; apps\/v1, Kind=StatefulSet\): \.spec\.replica: field not declared in schema$/,
  );
  assert.match(
    refusal(() => apply(NEW, set(template(container('a', 'x'), container('a', 'y'))))).message,
    /duplicate entries for key \[name="a"\]/,
  );
  assert.match(refusal(() => apply(NEW, set(template({ image: 'x' })))).message, /omits key field/);
  assert.match(
    refusal(() => apply(NEW, set({}, { managedFields: [{}] }))).message,
    /managedFields must be nil/,
  );
  assert.match(
    refusal(() => apply(set({}), { ...set({}), apiVersion: 'apps/v2' })).message,
    /Specified patch version: apps\/v2/,
  );
});

test('applying again changes nothing, not even the time', () => {
  const patch = set({ replicas: 2, ...template(container('a', 'x')) }, { labels: { k: 'v' } });
  const once = apply(NEW, patch);
  assert.deepEqual(apply(once, patch, { nowMs: T0 + 60_000 }), once);
});

test('many updaters are kept as at most ten, and ownership can be reset', () => {
  let live: KubeObject = write(undefined, set({ replicas: 1 }, { labels: { l0: '0' } }), 'm0');
  for (let i = 1; i < 20; i++) {
    const labels = { ...live.metadata.labels, [`l${i}`]: `${i}` };
    live = write(live, set({ replicas: 1 }, { ...live.metadata, labels }), `m${i}`);
  }
  const managers = split(live).managed.map(({ manager }) => manager);
  assert.equal(managers.length, 10);
  assert.ok(managers.includes('ancient-changes'));
  const reset = { ...live, metadata: { ...live.metadata, managedFields: [{}] } };
  assert.equal(write(live, reset, 'me').metadata.managedFields, undefined);
});

test('field sets are read as they were written', () => {
  const json = {
    'f:a': {},
    'f:b': { '.': {}, 'f:c': {} },
    'f:d': { 'k:{"name":"x"}': { '.': {}, 'f:name': {} } },
  };
  assert.deepEqual(FieldSet.fromJSON(json).toJSON(), json);
  assert.ok(FieldSet.fromJSON('odd').empty);
});

test('two managers of different fields never disturb each other, in any order', () => {
  const fields = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 6 });
  fc.assert(
    fc.property(fields, fields, fields, (first, second, third) => {
      const config = (prefix: string, keys: string[]): KubeObject =>
        set({}, { labels: Object.fromEntries(keys.map((key) => [prefix + key, key])) });
      let live = apply(NEW, config('x', first), { manager: 'x' });
      live = apply(live, config('y', second), { manager: 'y' });
      live = apply(live, config('x', third), { manager: 'x' });
      const wanted = [...third.map((key) => `x${key}`), ...second.map((key) => `y${key}`)].sort();
      assert.deepEqual(Object.keys(live.metadata.labels ?? {}).sort(), wanted);
    }),
  );
});

test('items that only one side has stand where they stood; the live ones before the applied ones', () => {
  const listOf = (names: string): object => ({
    serviceName: 'web',
    template: { spec: { containers: [...names].map((name) => container(name, 'image')) } },
  });
  const cases = [
    ['m', 's', 'ms'],
    ['ab', 'xa', 'xab'],
    ['ab', 'bx', 'abx'],
    ['asb', 'xs', 'axsb'],
    ['abc', 'cb', 'acb'],
    ['psa', 'spx', 'sapx'],
    ['abc', 'cba', 'cba'],
  ];
  for (const [live = '', config = '', want] of cases) {
    const before = apply(NEW, set(listOf(live)), { manager: 'other' });
    const after: unknown = apply(before, set(listOf(config)));
    const { spec } = after as { spec: { template: { spec: { containers: { name: string }[] } } } };
    assert.equal(spec.template.spec.containers.map(({ name }) => name).join(''), want, `${live} + ${config}`);
  }
});
