import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StatusError } from '../../api/errors.ts';
import type { KubeObject } from '../../api/objects.ts';
import { allResources } from '../../api/resources/all.ts';
import { schemaOf } from '../../api/resources/schema.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyPatch } from './patch.ts';

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const item of Object.values(value)) deepFreeze(item);
  }
  return value;
}

const podType = schemaOf(allResources).type('Pod');
const pod = (spec: object): KubeObject => deepFreeze({ metadata: { name: 'p' }, spec }) as KubeObject;

function refusal(run: () => unknown): StatusError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    return error;
  }
  return assert.fail('not refused');
}

const strategic = (current: KubeObject, patch: unknown): unknown =>
  applyPatch('strategic', podType, current, patch);

// ---- JSON patch -------------------------------------------------------------------------------------------------

test('a JSON patch is done whole, and leaves the stored object alone', () => {
  const current = pod({ containers: [{ name: 'a', image: 'x' }], nodeName: 'n' });
  const patched = applyPatch('json', podType, current, [
    { op: 'test', path: '/spec/nodeName', value: 'n' },
    { op: 'replace', path: '/spec/containers/0/image', value: 'y' },
    { op: 'add', path: '/metadata/labels', value: {} },
    { op: 'add', path: '/metadata/labels/a~1b', value: 'c' },
    { op: 'add', path: '/spec/containers/-', value: { name: 'b' } },
    { op: 'move', from: '/spec/nodeName', path: '/spec/hostname' },
    { op: 'copy', from: '/spec/containers/0', path: '/spec/containers/0' },
    { op: 'remove', path: '/spec/containers/2' },
  ]);
  assert.deepEqual(patched, {
    metadata: { name: 'p', labels: { 'a/b': 'c' } },
    spec: {
      containers: [
        { name: 'a', image: 'y' },
        { name: 'a', image: 'y' },
      ],
      hostname: 'n',
    },
  });
});

test('a JSON patch that does not apply is refused with 422, a malformed one with 400', () => {
  const current = pod({ nodeName: 'n' });
  const json = (patch: unknown): StatusError => refusal(() => applyPatch('json', podType, current, patch));
  const failed = json([{ op: 'test', path: '/spec/nodeName', value: 'm' }]);
  assert.equal(failed.code, 422);
  assert.match(failed.message, /testing path "\/spec\/nodeName" value failed: test failed$/);
  assert.match(json([{ op: 'remove', path: '/spec/x' }]).message, /remove operation does not apply/);
  assert.equal(json([{ op: 'add', path: '/spec/x/y', value: 1 }]).code, 422);
  assert.equal(json([{ op: 'add', path: '/__proto__/x', value: 1 }]).code, 422);
  assert.equal(json({ op: 'remove' }).code, 400);
  assert.equal(json([{ op: 'jump', path: '/' }]).code, 400);
  assert.equal(json([{ op: 'move', path: '/a' }]).code, 400);
  assert.equal(json(Array(10_001).fill({ op: 'remove', path: '/a' })).code, 413);
});

test('copies in a JSON patch cannot blow the object up', () => {
  const current = pod({ a: 'x'.repeat(100_000) });
  const copies = Array.from({ length: 30 }, (_, i) => ({ op: 'copy', from: '/spec', path: `/spec/c${i}` }));
  assert.match(refusal(() => applyPatch('json', podType, current, copies)).message, /exceeding the limit/);
});

// ---- merge patch ------------------------------------------------------------------------------------------------

test('a merge patch merges objects, replaces lists, and removes what is null', () => {
  const current = pod({ containers: [{ name: 'a' }], nodeSelector: { a: '1', b: '2' }, hostname: 'h' });
  const patch = {
    metadata: { labels: { x: 'y', z: null } },
    spec: { containers: [{ name: 'b' }], nodeSelector: { a: null, c: '3' }, hostname: null },
  };
  assert.deepEqual(applyPatch('merge', podType, current, patch), {
    metadata: { name: 'p', labels: { x: 'y' } },
    spec: { containers: [{ name: 'b' }], nodeSelector: { b: '2', c: '3' } },
  });
  assert.equal(refusal(() => applyPatch('merge', podType, current, [])).code, 400);
});

// ---- strategic merge patch --------------------------------------------------------------------------------------

test('lists with a merge key are merged, others replaced', () => {
  const current = pod({
    containers: [
      { name: 'a', image: 'x', args: ['1'] },
      { name: 'b', image: 'y' },
    ],
    tolerations: [{ key: 'k' }],
  });
  const patch = {
    spec: {
      containers: [
        { name: 'b', image: 'z' },
        { name: 'c', image: 'c' },
      ],
      tolerations: [{ key: 'l' }],
    },
  };
  assert.deepEqual(strategic(current, patch), {
    metadata: { name: 'p' },
    spec: {
      containers: [
        { name: 'a', image: 'x', args: ['1'] },
        { name: 'b', image: 'z' },
        { name: 'c', image: 'c' },
      ],
      tolerations: [{ key: 'l' }],
    },
  });
});

test('items are deleted and lists replaced by directives', () => {
  const current = pod({ containers: [{ name: 'a' }, { name: 'b' }] });
  assert.deepEqual(strategic(current, { spec: { containers: [{ name: 'a', $patch: 'delete' }] } }), {
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'b' }] },
  });
  assert.deepEqual(strategic(current, { spec: { containers: [{ $patch: 'replace' }, { name: 'c' }] } }), {
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c' }] },
  });
  // Upstream does not merge such a list with itself: a node's addresses have several of one type.
  const twice = [
    { name: 'c', image: '1' },
    { name: 'c', image: '2' },
  ];
  assert.deepEqual(strategic(current, { spec: { containers: [...twice, { $patch: 'replace' }] } }), {
    metadata: { name: 'p' },
    spec: { containers: twice },
  });
  assert.deepEqual(strategic(current, { spec: { $patch: 'replace', hostname: 'h' } }), {
    metadata: { name: 'p' },
    spec: { hostname: 'h' },
  });
  assert.deepEqual(strategic(current, { spec: { $patch: 'delete' } }), { metadata: { name: 'p' }, spec: {} });
});

test('$setElementOrder orders what the patch knows, and keeps the rest where it stood', () => {
  const current = pod({ containers: [{ name: 'injected' }, { name: 'a' }, { name: 'b' }, { name: 'late' }] });
  const patch = {
    spec: {
      '$setElementOrder/containers': [{ name: 'new' }, { name: 'b' }, { name: 'a' }],
      containers: [{ name: 'new', image: 'n' }],
    },
  };
  const { spec } = strategic(current, patch) as { spec: { containers: Array<{ name: string }> } };
  assert.deepEqual(
    spec.containers.map(({ name }) => name),
    ['new', 'injected', 'b', 'a', 'late'],
  );
  const bad = { spec: { '$setElementOrder/containers': [{ name: 'a' }], containers: [{ name: 'z' }] } };
  assert.match(refusal(() => strategic(current, bad)).message, /doesn't match \$setElementOrder list/);
});

test('lists of scalars are merged as sets, and parts of them deleted', () => {
  const current = deepFreeze({ metadata: { name: 'p', finalizers: ['a', 'b', 'c'] } }) as KubeObject;
  const patch = {
    metadata: {
      '$deleteFromPrimitiveList/finalizers': ['b'],
      '$setElementOrder/finalizers': ['d', 'a', 'c'],
      finalizers: ['d'],
    },
  };
  assert.deepEqual(strategic(current, patch), { metadata: { name: 'p', finalizers: ['d', 'a', 'c'] } });
  assert.deepEqual(strategic(current, { metadata: { finalizers: ['x'] } }), {
    metadata: { name: 'p', finalizers: ['x', 'a', 'b', 'c'] },
  });
});

test('the paths of a JSON patch begin with a slash', () => {
  const current = { metadata: { name: 'p' }, data: { a: 'b' } };
  const refused = (operation: object): string[] => {
    const { code, message } = refusal(() => applyJsonPatch(current, [operation]));
    return [
      String(code),
      message.replace(/^the server rejected our request due to an error in our request: /, ''),
    ];
  };
  assert.deepEqual(refused({ op: 'add', path: 'data/c', value: 'd' }), [
    '422',
    'add operation does not apply: doc is missing path: "data/c": missing value',
  ]);
  for (const op of ['remove', 'replace', 'test'])
    assert.match(
      refused({ op, path: 'data' })[1] ?? '',
      /^\w+ operation does not apply: doc is missing path: "data"/,
    );
  assert.equal(
    refused({ op: 'move', from: 'data/a', path: '/data/b' })[1],
    'move operation does not apply: doc is missing from path: "data/a": missing value',
  );
});

test('$retainKeys clears a union’s other members', () => {
  const current = pod({ volumes: [{ name: 'v', emptyDir: {} }] });
  const patch = {
    spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'configMap'], configMap: { name: 'c' } }] },
  };
  assert.deepEqual(strategic(current, patch), {
    metadata: { name: 'p' },
    spec: { volumes: [{ name: 'v', configMap: { name: 'c' } }] },
  });
  const bad = { spec: { volumes: [{ name: 'v', $retainKeys: ['name'], configMap: {} }] } };
  assert.equal(refusal(() => strategic(current, bad)).code, 400);
});

test('null removes a field, and is not stored where there was none', () => {
  const current = pod({ hostname: 'h', containers: [{ name: 'a', image: 'x' }] });
  const patch = {
    metadata: { labels: { a: 'b', c: null } },
    spec: {
      hostname: null,
      nodeName: null,
      containers: [{ name: 'a', image: null }],
      securityContext: { runAsUser: null },
    },
  };
  assert.deepEqual(strategic(current, patch), {
    metadata: { name: 'p', labels: { a: 'b' } },
    spec: { containers: [{ name: 'a' }], securityContext: {} },
  });
});

test('malformed strategic patches are refused', () => {
  const current = pod({ containers: [{ name: 'a' }] });
  const message = (patch: unknown): string => refusal(() => strategic(current, patch)).message;
  assert.match(
    message({ spec: { containers: [{ image: 'x' }] } }),
    /does not contain declared merge key: name$/,
  );
  assert.match(message({ spec: { containers: [[]] } }), /lists of lists are not supported/);
  assert.match(message({ spec: { $patch: 'turn' } }), /unknown patch type: turn in map/);
  assert.match(message('x'), /is an object/);
});

test('ports merge by containerPort, as kubectl expects', () => {
  const current = pod({ containers: [{ name: 'a', ports: [{ containerPort: 80, protocol: 'TCP' }] }] });
  const patch = {
    spec: {
      '$setElementOrder/containers': [{ name: 'a' }],
      containers: [
        {
          '$setElementOrder/ports': [{ containerPort: 80 }, { containerPort: 443 }],
          name: 'a',
          ports: [{ containerPort: 443, name: 'https' }],
        },
      ],
    },
  };
  assert.deepEqual(strategic(current, patch), {
    metadata: { name: 'p' },
    spec: {
      containers: [
        {
          name: 'a',
          ports: [
            { containerPort: 80, protocol: 'TCP' },
            { containerPort: 443, name: 'https' },
          ],
        },
      ],
    },
  });
});
