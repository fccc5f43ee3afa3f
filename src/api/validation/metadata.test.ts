import assert from 'node:assert/strict';
import test from 'node:test';
import type { ObjectMeta } from '../generated/types.ts';
import { dns1123Label } from '../names.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from './metadata.ts';

const said = (meta: ObjectMeta, namespaced = true): string[] =>
  validateObjectMeta(meta, namespaced, dns1123Label, 'metadata').map(
    ({ field, body }) => `${field}: ${body}`,
  );
const META: ObjectMeta = { name: 'web', namespace: 'default' };
const OWNER = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'u', controller: true };

test('accepted', () => {
  assert.deepEqual(said(META), []);
  assert.deepEqual(said({ ...META, name: 'web-abcde', generateName: 'web-' }), []);
  assert.deepEqual(
    said({
      ...META,
      labels: { app: 'nginx', 'app.kubernetes.io/part-of': '' },
      annotations: { 'Example.com/Note': 'anything at all' },
      ownerReferences: [OWNER],
      finalizers: ['example.com/hold', 'orphan'],
    }),
    [],
  );
  assert.deepEqual(said({ name: 'web' }, false), []);
});

test('refused', () => {
  assert.deepEqual(said({ namespace: 'default' }), [
    'metadata.name: Required value: name or generateName is required',
  ]);
  assert.match(
    `${said({ ...META, name: 'Web' })}`,
    /^metadata\.name: Invalid value: "Web": a lowercase RFC 1123 label/,
  );
  assert.deepEqual(said({ name: 'web' }), ['metadata.namespace: Required value']);
  assert.deepEqual(said(META, false), ['metadata.namespace: Forbidden: not allowed on this type']);
  assert.deepEqual(said({ ...META, annotations: { a: 'x'.repeat(256 * 1024) } }), [
    'metadata.annotations: Too long: may not be more than 262144 bytes',
  ]);
  assert.deepEqual(said({ ...META, finalizers: ['hold'] }), [
    'metadata.finalizers[0]: Invalid value: "hold": name is neither a standard finalizer name nor is it fully qualified',
  ]);
  const two = said({ ...META, ownerReferences: [OWNER, { ...OWNER, name: 'db' }] });
  assert.match(
    `${two}`,
    /Only one reference can have Controller set to true\. Found "true" in references for StatefulSet\/web and StatefulSet\/db$/,
  );
});

test('identity does not change', () => {
  const old: ObjectMeta = {
    ...META,
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: 'then',
    generation: 2,
  };
  const update = (changes: ObjectMeta, from: ObjectMeta = old): string[] =>
    validateObjectMetaUpdate({ ...from, ...changes }, from, 'metadata').map(
      ({ field, body }) => `${field}: ${body}`,
    );
  assert.deepEqual(update({ labels: { a: 'b' } }), []);
  assert.deepEqual(update({ uid: 'v', name: 'x', generation: 1, resourceVersion: '' }), [
    'metadata.resourceVersion: Invalid value: "": must be specified for an update',
    'metadata.generation: Invalid value: 1: must not be decremented',
    'metadata.name: Invalid value: "x": field is immutable',
    'metadata.uid: Invalid value: "v": field is immutable',
  ]);
  const going = { ...old, deletionTimestamp: 'now', finalizers: ['a/b'] };
  assert.deepEqual(update({ finalizers: [] }, going), []);
  assert.deepEqual(update({ finalizers: ['a/b', 'c/d'] }, going), [
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new ' +
      'finalizers []string{"c/d"}',
  ]);
});
