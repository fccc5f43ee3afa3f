// Generates src/api/generated/ from the official JavaScript client's models: the wire types that the code is
// checked against, the structural schema that requests are checked against, and the field descriptions that
// OpenAPI serves. What the models do not hold (list keys, enums, defaults, quantities) is not here: it is
// written down by hand in src/api/schema/.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The kinds stead serves, as the client's models name them; everything they refer to comes along. */
const ROOTS = [
  'V1Namespace',
  'V1Node',
  'V1Pod',
  'V1Service',
  'V1Endpoints',
  'V1ConfigMap',
  'V1Secret',
  'V1ServiceAccount',
  'CoreV1Event',
  'V1PersistentVolume',
  'V1PersistentVolumeClaim',
  'V1LimitRange',
  'V1ResourceQuota',
  'V1PodTemplate',
  'V1Binding',
  'V1StatefulSet',
  'V1ControllerRevision',
  'V1Scale',
  'V1EndpointSlice',
  'V1StorageClass',
  'V1CSINode',
  'V1VolumeAttachment',
  'V1Lease',
  'V1PodDisruptionBudget',
  'V1Eviction',
  'V1PriorityClass',
  'V1RuntimeClass',
  'EventsV1Event',
  'V1Role',
  'V1RoleBinding',
  'V1ClusterRole',
  'V1ClusterRoleBinding',
  'V1TokenReview',
  'AuthenticationV1TokenRequest',
  'V1SelfSubjectReview',
  'V1SubjectAccessReview',
  'V1SelfSubjectAccessReview',
  'V1LocalSubjectAccessReview',
  'V1SelfSubjectRulesReview',
  'V1Status',
  'V1DeleteOptions',
  'V1APIGroupList',
  'V1APIResourceList',
  'V1APIVersions',
  'V1ListMeta',
  'V1CustomResourceDefinition',
];

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
/** Types whose insides nothing here looks into. */
const OPAQUE = new Set(['V1CustomResourceDefinitionSpec', 'V1CustomResourceDefinitionStatus']);

const models = join(dirname(require.resolve('@kubernetes/client-node')), 'gen', 'models');
const out = join(here, '..', 'src', 'api', 'generated');

/** A model's name as Kubernetes' own Go types have it: V1Pod → Pod, CoreV1Event → Event. */
const kubernetesName = (model) => model.replace(/^(Core|Authentication)?V1(?=[A-Z])/, '');

/** Resolves a type of the models' declarations to a schema node. */
function schemaOf(type, format) {
  const array = /^Array<(.*)>$/.exec(type);
  if (array) return { type: 'array', items: schemaOf(array[1], format) };
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map) return { type: 'map', values: schemaOf(map[1], format) };
  switch (type) {
    case 'string':
      return format === 'byte' ? { type: 'string', format } : { type: 'string' };
    case 'boolean':
      return { type: 'boolean' };
    case 'Date':
    case 'V1MicroTime':
      return {
        type: 'string',
        format: format === 'date-time-micro' || type === 'V1MicroTime' ? 'micro-time' : 'date-time',
      };
    case 'number':
      return format === 'double' ? { type: 'number' } : { type: 'integer', format: format || 'int64' };
    case 'IntOrString':
      return { type: 'int-or-string' };
    case 'any':
      return { type: 'any' };
    default:
      return OPAQUE.has(type) ? { type: 'any' } : { type: 'object', ref: kubernetesName(type) };
  }
}

function typescriptOf(schema) {
  switch (schema.type) {
    case 'array':
      return `Array<${typescriptOf(schema.items)}>`;
    case 'map':
      return `Record<string, ${typescriptOf(schema.values)}>`;
    case 'integer':
      return 'number';
    case 'int-or-string':
      return 'number | string';
    case 'any':
      return 'unknown';
    case 'object':
      return schema.ref;
    default:
      return schema.type;
  }
}

/** Reads one model: its fields, which of them are required, and what the documentation says of each. */
function readModel(model) {
  const declaration = readFileSync(join(models, `${model}.d.ts`), 'utf8');
  const code = readFileSync(join(models, `${model}.js`), 'utf8');
  const attributes = JSON.parse(/attributeTypeMap = (\[[\s\S]*?\n\]);/.exec(code)?.[1] ?? '[]');
  const description = /\/\*\*\n\* ([\s\S]*?)\n\*\/\nexport declare class/.exec(declaration)?.[1] ?? '';
  const required = [];
  const properties = {};
  const descriptions = { '': unquoted(description) };
  const references = [];
  for (const { name, baseName, type, format } of attributes) {
    const field = new RegExp(`(?:/\\*\\*\\n    \\* ([^\\n]*)\\n    \\*/\\n)?    '${name}'(\\??):`).exec(
      declaration,
    );
    if (!field) throw new Error(`${model}.${name} is not in the model's declaration`);
    if (field[2] === '') required.push(baseName);
    if (field[1]) descriptions[baseName] = unquoted(field[1]);
    properties[baseName] = schemaOf(type, format);
    for (const [reference] of type.matchAll(/\w*V\d\w*/g))
      if (reference !== 'V1MicroTime' && !OPAQUE.has(reference)) references.push(reference);
  }
  return { schema: { ...(required.length > 0 && { required }), properties }, descriptions, references };
}

const unquoted = (text) => text.replace(/\\(['"])/g, '$1');

const schemas = {};
const descriptions = {};
const queue = [...ROOTS];
const seen = new Set();
while (queue.length > 0) {
  const model = queue.pop();
  if (seen.has(model)) continue;
  seen.add(model);
  const read = readModel(model);
  const name = kubernetesName(model);
  if (schemas[name]) throw new Error(`two models are called ${name}`);
  schemas[name] = read.schema;
  descriptions[name] = read.descriptions;
  queue.push(...read.references);
}

const names = Object.keys(schemas).sort();
const sorted = (table) => Object.fromEntries(names.map((name) => [name, table[name]]));
const lines = [
  '// Generated by scripts/generate.mjs from @kubernetes/client-node. Wire types: what JSON holds.',
  '',
];
for (const name of names) {
  const { properties, required = [] } = schemas[name];
  // Every object that has a kind of its own has metadata and, where there is one, a spec: the API server sees to it.
  const isKind = 'kind' in properties && 'apiVersion' in properties;
  lines.push(`export interface ${name} {`);
  for (const [field, schema] of Object.entries(properties)) {
    const mandatory = required.includes(field) || (isKind && (field === 'metadata' || field === 'spec'));
    const key = /^\w+$/.test(field) ? field : JSON.stringify(field);
    lines.push(`  ${key}${mandatory ? '' : '?'}: ${typescriptOf(schema)};`);
  }
  lines.push('}', '');
}
mkdirSync(out, { recursive: true });
writeFileSync(join(out, 'types.ts'), lines.join('\n'));
writeFileSync(join(out, 'schema.json'), JSON.stringify(sorted(schemas)));
writeFileSync(join(out, 'descriptions.json'), JSON.stringify(sorted(descriptions)));
console.log(`generated ${names.length} types from @kubernetes/client-node`);
