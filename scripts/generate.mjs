// Generates src/api/generated/ from the official JavaScript client's models: the wire types that the code is
// checked against, the structural schema that requests are checked against, and the field descriptions that
// OpenAPI serves. Which types: those that some kind's folder names (`generatedTypes`, api/schema/generated-types.ts).
// What the models do not hold (list keys, enums, defaults, numbers, …) stands there, too, by hand.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const models = join(dirname(require.resolve('@kubernetes/client-node')), 'gen', 'models');
const out = join(here, '..', 'src', 'api', 'generated');
const resources = join(here, '..', 'src', 'api', 'resources');

/** The names of the types that the folders declare; `opaque` ones are those whose insides nothing looks into. */
function declaredTypes() {
  const declared = [];
  for (const file of readdirSync(resources, { recursive: true })) {
    if (!file.endsWith('.ts')) continue;
    const text = readFileSync(join(resources, file), 'utf8');
    for (const [, table] of text.matchAll(/ = generatedTypes\('[^']+', \{\n([\s\S]*?)\n\}\);/g)) {
      for (const [, name, opaque] of table.matchAll(/^ {2}(\w+): (?:\{|('opaque'))/gm)) {
        declared.push({ name, opaque: opaque !== undefined, file });
      }
    }
  }
  return declared;
}

const declared = declaredTypes();
const OPAQUE = new Set(declared.filter(({ opaque }) => opaque).map(({ name }) => name));

/** The model of a type: `Pod` → V1Pod, `Event` → CoreV1Event. */
function modelOf({ name, file }) {
  const candidates = [`V1${name}`, `CoreV1${name}`, `AuthenticationV1${name}`, name];
  const model = candidates.find((candidate) => existsSync(join(models, `${candidate}.d.ts`)));
  if (!model) throw new Error(`${file} names a type "${name}", of which the client has no model`);
  return model;
}

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
      return OPAQUE.has(kubernetesName(type))
        ? { type: 'any' }
        : { type: 'object', ref: kubernetesName(type) };
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
      if (reference !== 'V1MicroTime') references.push(kubernetesName(reference));
  }
  if (isKind(properties)) {
    // Go holds what every object of a kind has by value.
    for (const field of ['metadata', 'spec', 'status']) {
      if (properties[field]?.type === 'object') properties[field].presence = 'embedded';
    }
  }
  return { schema: { ...(required.length > 0 && { required }), properties }, descriptions, references };
}

const unquoted = (text) => text.replace(/\\(['"])/g, '$1');

const isKind = (properties) => 'kind' in properties && 'apiVersion' in properties;

const schemas = {};
const descriptions = {};
for (const each of declared.filter(({ opaque }) => !opaque)) {
  const read = readModel(modelOf(each));
  if (schemas[each.name]) throw new Error(`two folders declare the type ${each.name}`);
  schemas[each.name] = read.schema;
  descriptions[each.name] = read.descriptions;
  const missing = read.references.find((name) => !declared.some((other) => other.name === name));
  if (missing) throw new Error(`${each.name} of ${each.file} has a ${missing}, which no folder declares`);
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
  lines.push(`export interface ${name} {`);
  for (const [field, schema] of Object.entries(properties)) {
    const mandatory =
      required.includes(field) || (isKind(properties) && (field === 'metadata' || field === 'spec'));
    const key = /^\w+$/.test(field) ? field : JSON.stringify(field);
    lines.push(`  ${key}${mandatory ? '' : '?'}: ${typescriptOf(schema)};`);
  }
  lines.push('}', '');
}
lines.push('/** Every generated type, by its name. */', 'export interface WireTypes {');
for (const name of names) lines.push(`  ${name}: ${name};`);
for (const name of OPAQUE) lines.push(`  ${name}: unknown;`);
lines.push('}', '');
mkdirSync(out, { recursive: true });
writeFileSync(join(out, 'types.ts'), lines.join('\n'));
writeFileSync(join(out, 'schema.json'), JSON.stringify(sorted(schemas)));
writeFileSync(join(out, 'descriptions.json'), JSON.stringify(sorted(descriptions)));
console.log(`generated ${names.length} types from @kubernetes/client-node`);
