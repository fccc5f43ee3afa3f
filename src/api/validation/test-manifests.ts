// Manifests for the tests of this room: decoded and defaulted as the API server does it, with single fields changed.

import assert from 'node:assert/strict';
import { parse } from 'yaml';
import type { FieldError } from '../errors.ts';
import type { KubeObject } from '../objects.ts';
import type { ResourceDefinition } from '../resource.ts';
import { allResources } from '../resources/all.ts';
import { schemaOf } from '../resources/schema.ts';
import { decode } from '../schema/decode.ts';
import { applyDefaults } from '../schema/defaults.ts';

const schema = schemaOf(allResources);

/** Fields by their path (`spec.containers.0.image`); undefined takes a field away. */
export type Changes = Readonly<Record<string, unknown>>;

function change(target: object, path: string, value: unknown): void {
  const steps = path.split('.');
  const last = steps.pop() ?? '';
  let at = target;
  for (const step of steps) {
    let inner: unknown = Reflect.get(at, step);
    if (typeof inner !== 'object' || inner === null) {
      inner = {};
      Reflect.set(at, step, inner);
    }
    assert.ok(typeof inner === 'object' && inner !== null);
    at = inner;
  }
  if (value === undefined) Reflect.deleteProperty(at, last);
  else Reflect.set(at, last, structuredClone(value));
}

/** The object of a manifest, prepared for creation. */
export function created<T extends KubeObject>(
  resource: ResourceDefinition<T>,
  yaml: string,
  changes: Changes = {},
): T {
  const json: unknown = parse(yaml);
  assert.ok(typeof json === 'object' && json !== null, yaml);
  for (const [path, value] of Object.entries(changes)) change(json, path, value);
  const type = schema.type(resource.schema);
  const { object } = decode(type, json, 'Strict');
  applyDefaults(type, object);
  // The schema's name is the resource's own, so the decoded object is one of its kind.
  const typed = object as T;
  resource.strategy.prepareForCreate?.(typed, { nowMs: 0 });
  return typed;
}

const sentences = (errors: readonly FieldError[] | undefined): string[] =>
  (errors ?? []).map(({ field, body }) => `${field}: ${body}`);

/** What is said against creating the object. */
export function refusals<T extends KubeObject>(
  resource: ResourceDefinition<T>,
  yaml: string,
  changes: Changes = {},
): string[] {
  const object = created(resource, yaml, changes);
  const before = JSON.stringify(object);
  const errors = sentences(resource.strategy.validateCreate?.(object));
  assert.equal(JSON.stringify(object), before, 'validation changes nothing');
  return errors;
}

/** What is said against changing an object; `stored` changes it on both sides, before. */
export function updateRefusals<T extends KubeObject>(
  resource: ResourceDefinition<T>,
  yaml: string,
  changes: Changes,
  stored: Changes = {},
): string[] {
  const old = created(resource, yaml);
  for (const [path, value] of Object.entries(stored)) change(old, path, value);
  const next = structuredClone(old);
  for (const [path, value] of Object.entries(changes)) change(next, path, value);
  const before = JSON.stringify(old);
  resource.strategy.prepareForUpdate?.(next, old, { nowMs: 0 });
  const errors = sentences(resource.strategy.validateUpdate?.(next, old));
  assert.equal(JSON.stringify(old), before, 'the old object stays as it was');
  return errors;
}
