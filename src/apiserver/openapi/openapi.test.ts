import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceDefinition } from '../../api/resource.ts';
import { allResources } from '../../api/resources/all.ts';
import { schemaOf } from '../../api/resources/schema.ts';
import type { JsonObject } from './definitions.ts';
import { definitionName } from './names.ts';
import { type OpenApiDocument, openApiV2, openApiV3, openApiV3Index } from './openapi.ts';

const resource = (given: Partial<ResourceDefinition>): ResourceDefinition => ({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  shortNames: [],
  categories: [],
  namespaced: true,
  schema: 'Pod',
  types: [],
  verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'],
  hasStatus: true,
  columns: [],
  strategy: {},
  ...given,
});

const schema = schemaOf(allResources);
const scale = { specReplicas: () => 0, setSpecReplicas() {}, statusReplicas: () => 0, selector: () => '' };
const RESOURCES: readonly ResourceDefinition[] = [
  resource({ actions: { binding: { kind: 'Binding', verbs: ['create'] } } }),
  resource({ kind: 'Namespace', plural: 'namespaces', schema: 'Namespace', namespaced: false }),
  resource({ group: 'apps', kind: 'StatefulSet', plural: 'statefulsets', schema: 'StatefulSet', scale }),
  resource({ group: 'events.k8s.io', kind: 'Event', plural: 'events', schema: 'EventsV1Event' }),
];

const parse = (document: OpenApiDocument | undefined): JsonObject => {
  assert.ok(document);
  return JSON.parse(document.body.toString());
};

/** Follows a path of keys; fails where there is nothing. */
function at(value: unknown, ...keys: Array<string | number>): unknown {
  return keys.reduce((current: unknown, key) => {
    assert.ok(typeof current === 'object' && current !== null && Object.hasOwn(current, key), String(key));
    return Reflect.get(current, key);
  }, value);
}

function references(value: unknown, found: Set<string> = new Set()): Set<string> {
  if (typeof value !== 'object' || value === null) return found;
  for (const [key, item] of Object.entries(value)) {
    if (key === '$ref' && typeof item === 'string') found.add(item);
    else references(item, found);
  }
  return found;
}

test('every reference leads to a schema of the same document', () => {
  const v2 = parse(openApiV2(RESOURCES, schema));
  for (const reference of references(v2)) at(v2.definitions, reference.replace('#/definitions/', ''));
  for (const key of ['api/v1', 'apis/apps/v1', 'apis/events.k8s.io/v1']) {
    const v3 = parse(openApiV3(RESOURCES, schema, key));
    const schemas = at(v3, 'components', 'schemas');
    for (const reference of references(v3)) at(schemas, reference.replace('#/components/schemas/', ''));
  }
  assert.equal(openApiV3(RESOURCES, schema, 'apis/batch/v1'), undefined);
});

test('types have upstream’s names and say which kinds they are', () => {
  assert.equal(definitionName(schema.type('StatefulSet')), 'io.k8s.api.apps.v1.StatefulSet');
  assert.equal(definitionName(schema.type('ObjectMeta')), 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');
  assert.equal(definitionName(schema.type('EventsV1Event')), 'io.k8s.api.events.v1.Event');
  assert.equal(definitionName(schema.type('Container')), 'io.k8s.api.core.v1.Container');
  const schemas = at(parse(openApiV3(RESOURCES, schema, 'apis/apps/v1')), 'components', 'schemas');
  assert.deepEqual(at(schemas, 'io.k8s.api.apps.v1.StatefulSet', 'x-kubernetes-group-version-kind'), [
    { group: 'apps', kind: 'StatefulSet', version: 'v1' },
  ]);
  assert.deepEqual(at(schemas, 'io.k8s.api.apps.v1.StatefulSetList', 'required'), ['items']);
});

test('fields carry what kubectl needs for patches', () => {
  const schemas = at(parse(openApiV3(RESOURCES, schema, 'api/v1')), 'components', 'schemas');
  const volumes = at(schemas, 'io.k8s.api.core.v1.PodSpec', 'properties', 'volumes') as JsonObject;
  assert.equal(volumes['x-kubernetes-patch-strategy'], 'merge,retainKeys');
  assert.equal(volumes['x-kubernetes-patch-merge-key'], 'name');
  assert.equal(volumes['x-kubernetes-list-type'], 'map');
  assert.deepEqual(volumes['x-kubernetes-list-map-keys'], ['name']);
  const ports = at(schemas, 'io.k8s.api.core.v1.Container', 'properties', 'ports') as JsonObject;
  assert.deepEqual(ports['x-kubernetes-list-map-keys'], ['containerPort', 'protocol']);
  const limits = at(schemas, 'io.k8s.api.core.v1.ResourceRequirements', 'properties', 'limits');
  assert.deepEqual(at(limits, 'additionalProperties'), {
    $ref: '#/components/schemas/io.k8s.apimachinery.pkg.api.resource.Quantity',
  });
  assert.equal(
    at(schemas, 'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector', 'x-kubernetes-map-type'),
    'atomic',
  );
});

test('every patch operation says that the server validates fields, and takes strategic patches', () => {
  const { paths } = parse(openApiV3(RESOURCES, schema, 'apis/apps/v1'));
  const item = '/apis/apps/v1/namespaces/{namespace}/statefulsets/{name}';
  for (const path of [item, `${item}/status`, `${item}/scale`]) {
    const patch = at(paths, path, 'patch');
    const names = (at(patch, 'parameters') as JsonObject[]).map(({ name }) => name);
    assert.deepEqual(names, ['dryRun', 'fieldManager', 'fieldValidation', 'force']);
    assert.ok(at(patch, 'requestBody', 'content', 'application/strategic-merge-patch+json'));
  }
  assert.deepEqual(at(paths, item, 'patch', 'x-kubernetes-group-version-kind'), {
    group: 'apps',
    kind: 'StatefulSet',
    version: 'v1',
  });
  assert.ok(at(paths, '/apis/apps/v1/statefulsets', 'get'));
  const v2 = parse(openApiV2(RESOURCES, schema));
  assert.ok(at(v2.paths, '/api/v1/namespaces/{name}', 'patch'));
  assert.ok(at(v2.paths, '/api/v1/namespaces/{namespace}/pods/{name}/binding', 'post'));
});

test('the index names every group and version, with a hash that changes with the content', () => {
  const paths = at(parse(openApiV3Index(RESOURCES, schema)), 'paths') as JsonObject;
  assert.deepEqual(Object.keys(paths), ['api/v1', 'apis/apps/v1', 'apis/events.k8s.io/v1']);
  const url = (resources: readonly ResourceDefinition[]): unknown =>
    at(parse(openApiV3Index(resources, schema)), 'paths', 'api/v1', 'serverRelativeURL');
  assert.match(String(url(RESOURCES)), /^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]{128}$/);
  assert.notEqual(url(RESOURCES), url(RESOURCES.slice(0, 1)));
  assert.equal(openApiV2(RESOURCES, schema), openApiV2(RESOURCES, schema), 'made once');
});

test('every field of a type is documented', () => {
  const schemas = at(parse(openApiV3(RESOURCES, schema, 'apis/apps/v1')), 'components', 'schemas');
  for (const field of Object.keys(schema.type('StatefulSetSpec').declared.properties)) {
    const description = at(schemas, 'io.k8s.api.apps.v1.StatefulSetSpec', 'properties', field, 'description');
    assert.ok(String(description).length > 10, field);
  }
});
