// The paths of the documents: for every resource its collection, its objects and their subresources, with the
// operations that its verbs allow.
import type { ResourceDefinition, Verb } from '../../api/resource.ts';
import type { Definitions, Dialect, Json, JsonObject, Kind } from './definitions.ts';
import { PATCH } from './names.ts';
import { type Operation, operationParameters, pathParameters } from './parameters.ts';

const PATCH_TYPES = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];
const MEDIA_TYPES = ['application/json', 'application/yaml'];
const METHODS: Readonly<Record<Operation, { method: string; action: string; prefix: string }>> = {
  get: { method: 'get', action: 'get', prefix: 'read' },
  list: { method: 'get', action: 'list', prefix: 'list' },
  create: { method: 'post', action: 'post', prefix: 'create' },
  update: { method: 'put', action: 'put', prefix: 'replace' },
  patch: { method: 'patch', action: 'patch', prefix: 'patch' },
  delete: { method: 'delete', action: 'delete', prefix: 'delete' },
  deletecollection: { method: 'delete', action: 'deletecollection', prefix: 'deleteCollection' },
};

/** Where a resource's URLs begin: `/api/v1`, `/apis/apps/v1`. */
export function rootPath({ group, version }: { group: string; version: string }): string {
  return group ? `/apis/${group}/${version}` : `/api/${version}`;
}

/** One operation of one path: what it is about, what goes in and what comes out. */
interface Described {
  operation: Operation;
  kind: Kind;
  /** In `readAppsV1NamespacedStatefulSetStatus`, what comes after the verb. */
  name: string;
  tag: string;
  body: JsonObject | undefined;
  answer: JsonObject;
}

function describeOperation(dialect: Dialect, described: Described): JsonObject {
  const { operation, kind, name, tag, body, answer } = described;
  const { action, prefix } = METHODS[operation];
  const parameters = operationParameters(dialect, operation);
  const consumes = operation === 'patch' ? PATCH_TYPES : MEDIA_TYPES;
  const answers = operation === 'create' ? ['200', '201', '202'] : ['200'];
  const contents = (types: readonly string[], schema: JsonObject): JsonObject =>
    Object.fromEntries(types.map((type) => [type, { schema }]));
  const responses = Object.fromEntries(
    answers.map((code): [string, Json] => [
      code,
      dialect === 'v2'
        ? { description: 'OK', schema: answer }
        : { description: 'OK', content: contents(MEDIA_TYPES, answer) },
    ]),
  );
  const bodyParameter: Json[] = body ? [{ name: 'body', in: 'body', required: true, schema: body }] : [];
  return {
    description: `${prefix} ${kind.kind}`,
    operationId: `${prefix}${name}`,
    ...(dialect === 'v2' && { consumes: [...consumes], produces: [...MEDIA_TYPES], schemes: ['https'] }),
    parameters: dialect === 'v2' ? [...parameters, ...bodyParameter] : parameters,
    ...(dialect === 'v3' && body && { requestBody: { required: true, content: contents(consumes, body) } }),
    responses,
    tags: [tag],
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { ...kind },
  };
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `AppsV1`, `CoreV1`, `RbacAuthorizationV1`: the tag and the middle of operation ids. */
function groupName({ group, version }: { group: string; version: string }): string {
  const words = (group || 'core').replace(/\.k8s\.io$/, '').split('.');
  return words.map(capital).join('') + capital(version);
}

/** All paths of one resource. */
export function resourcePaths(
  dialect: Dialect,
  definitions: Definitions,
  resource: ResourceDefinition,
): JsonObject {
  const { group, version, kind, schema, plural, namespaced, verbs } = resource;
  const own: Kind = { group, version, kind };
  const object = definitions.type(schema);
  const list = definitions.list(schema, own);
  const status = definitions.type('Status');
  const patch = definitions.wellKnown(PATCH);
  const base = groupName(resource);
  const tag = base.replace(/V(\d)/, '_v$1').replace(/^./, (first) => first.toLowerCase());
  const root = rootPath(resource);
  const scope = namespaced ? 'Namespaced' : '';
  const collection = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
  const item = `${collection}/{name}`;
  const paths: JsonObject = {};

  const add = (
    path: string,
    name: string,
    about: Kind,
    operations: readonly Operation[],
    shape: JsonObject,
  ): void => {
    const entries = operations.map((operation): [string, Json] => {
      const takesObject = operation === 'create' || operation === 'update';
      const body = takesObject ? shape : operation === 'patch' ? patch : undefined;
      const answer = operation === 'list' ? list : operation.startsWith('delete') ? status : shape;
      return [
        METHODS[operation].method,
        describeOperation(dialect, { operation, kind: about, name, tag, body, answer }),
      ];
    });
    if (entries.length > 0)
      paths[path] = { ...Object.fromEntries(entries), ...pathParameters(dialect, path) };
  };
  const served = (wanted: readonly Operation[]): Operation[] => wanted.filter((verb) => verbs.includes(verb));

  add(collection, `${base}${scope}${kind}`, own, served(['list', 'create', 'deletecollection']), object);
  add(item, `${base}${scope}${kind}`, own, served(['get', 'update', 'patch', 'delete']), object);
  if (namespaced) add(`${root}/${plural}`, `${base}${kind}ForAllNamespaces`, own, served(['list']), object);
  const parts: readonly Operation[] = ['get', 'update', 'patch'];
  if (resource.hasStatus) add(`${item}/status`, `${base}${scope}${kind}Status`, own, parts, object);
  for (const part of Object.keys(resource.parts ?? {})) {
    add(`${item}/${part}`, `${base}${scope}${kind}${capital(part)}`, own, parts, object);
  }
  if (resource.scale) {
    const scale: Kind = { group: 'autoscaling', version: 'v1', kind: 'Scale' };
    add(`${item}/scale`, `${base}${scope}${kind}Scale`, scale, parts, definitions.type('Scale'));
  }
  for (const [action, about] of Object.entries(resource.actions ?? {})) {
    const actionKind: Kind = {
      group: about.group ?? group,
      version: about.version ?? version,
      kind: about.kind,
    };
    const operations = about.verbs.filter(isOperation);
    add(`${item}/${action}`, `${base}${scope}${kind}${capital(action)}`, actionKind, operations, status);
  }
  return paths;
}

function isOperation(verb: Verb): verb is Exclude<Verb, 'watch' | 'list' | 'deletecollection'> {
  return verb !== 'watch' && verb !== 'list' && verb !== 'deletecollection';
}
