// The OpenAPI documents that the server publishes, made from the resources it serves, the schema and the facts about
// it: version 2 as one document, version 3 as one per group and version with an index. Made on first use and kept as
// bytes; serving them over HTTP is not here.
import { createHash } from 'node:crypto';
import type { ResourceDefinition } from '../../api/resource.ts';
import type { Schema } from '../../api/schema/schema.ts';
import { Definitions, type JsonObject, type Kind } from './definitions.ts';
import { resourcePaths, rootPath } from './paths.ts';
import { encodeOpenApiV2 } from './v2-protobuf.ts';

/** The documents of one list of resources, as far as they have been asked for. */
interface Documents {
  v2?: OpenApiDocument;
  v2Protobuf?: OpenApiDocument;
  index?: OpenApiDocument;
  v3: Map<string, OpenApiDocument>;
}

/** A document as it is served. */
export interface OpenApiDocument {
  body: Buffer;
  /** Changes with the content; the same for all forms of one document. */
  hash: string;
}

const documents = new WeakMap<readonly ResourceDefinition[], Documents>();
const INFO = { title: 'Kubernetes', version: 'v1' };

function documentsOf(resources: readonly ResourceDefinition[]): Documents {
  let found = documents.get(resources);
  if (!found) {
    found = { v3: new Map() };
    documents.set(resources, found);
  }
  return found;
}

function kindsOf(resources: readonly ResourceDefinition[]): Map<string, Kind[]> {
  const kinds = new Map<string, Kind[]>();
  for (const { schema, group, version, kind } of resources) {
    kinds.set(schema, [...(kinds.get(schema) ?? []), { group, version, kind }]);
  }
  kinds.set('Scale', [{ group: 'autoscaling', version: 'v1', kind: 'Scale' }]);
  kinds.set('Status', [{ group: '', version: 'v1', kind: 'Status' }]);
  return kinds;
}

/** `api/v1`, `apis/apps/v1`: how the index names a group and version. */
const indexKey = (resource: ResourceDefinition): string => rootPath(resource).slice(1);

function encode(document: JsonObject): OpenApiDocument {
  const body = Buffer.from(JSON.stringify(document));
  return { body, hash: createHash('sha512').update(body).digest('hex').toUpperCase() };
}

/**
 * The OpenAPI 2 document (`/openapi/v2`) as JSON.
 * @param resources all that is served; the same array gives the same bytes without work.
 * @param schema of their objects.
 */
export function openApiV2(resources: readonly ResourceDefinition[], schema: Schema): OpenApiDocument {
  const made = documentsOf(resources);
  if (!made.v2) {
    const definitions = new Definitions('v2', schema, kindsOf(resources));
    const paths = Object.assign(
      {},
      ...resources.map((resource) => resourcePaths('v2', definitions, resource)),
    );
    made.v2 = encode({ swagger: '2.0', info: INFO, paths, definitions: definitions.schemas() });
  }
  return made.v2;
}

/** The same as a protobuf message openapi.v2.Document. */
export function openApiV2Protobuf(resources: readonly ResourceDefinition[], schema: Schema): OpenApiDocument {
  const made = documentsOf(resources);
  if (!made.v2Protobuf) {
    const { body, hash } = openApiV2(resources, schema);
    made.v2Protobuf = { body: encodeOpenApiV2(JSON.parse(body.toString())), hash };
  }
  return made.v2Protobuf;
}

/**
 * One OpenAPI 3 document (`/openapi/v3/api/v1`, `/openapi/v3/apis/apps/v1`) as JSON.
 * @param groupVersion what follows `/openapi/v3/`.
 * @returns undefined when nothing of that group and version is served.
 */
export function openApiV3(
  resources: readonly ResourceDefinition[],
  schema: Schema,
  groupVersion: string,
): OpenApiDocument | undefined {
  const made = documentsOf(resources);
  const known = made.v3.get(groupVersion);
  if (known) return known;
  const members = resources.filter((resource) => indexKey(resource) === groupVersion);
  if (members.length === 0) return undefined;
  const definitions = new Definitions('v3', schema, kindsOf(resources));
  const paths = Object.assign({}, ...members.map((resource) => resourcePaths('v3', definitions, resource)));
  const document = encode({
    openapi: '3.0.0',
    info: INFO,
    paths,
    components: { schemas: definitions.schemas() },
  });
  made.v3.set(groupVersion, document);
  return document;
}

/** Where the index says that a document is: under this URL it never changes. */
export function serverRelativeUrl(groupVersion: string, hash: string): string {
  return `/openapi/v3/${groupVersion}?hash=${hash}`;
}

/** The index of the OpenAPI 3 documents (`/openapi/v3`) as JSON; each URL carries a hash of its document. */
export function openApiV3Index(resources: readonly ResourceDefinition[], schema: Schema): OpenApiDocument {
  const made = documentsOf(resources);
  if (!made.index) {
    const keys = [...new Set(resources.map(indexKey))].sort();
    const entries = keys.map((key) => {
      const hash = openApiV3(resources, schema, key)?.hash ?? '';
      return [key, { serverRelativeURL: serverRelativeUrl(key, hash) }] as const;
    });
    made.index = encode({ paths: Object.fromEntries(entries) });
  }
  return made.index;
}
