// What is answered under /openapi: which document, in which form, with which headers (kube-openapi pkg/handler and
// pkg/handler3). A pure function of the request's headers but for the compressed bytes, which are kept with the
// document.

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ResourceDefinition } from '../../api/resource.ts';
import type { Schema } from '../../api/schema/schema.ts';
import { own } from '../../base/own.ts';
import {
  type OpenApiDocument,
  openApiV2,
  openApiV2Protobuf,
  openApiV3,
  openApiV3Index,
  serverRelativeUrl,
} from './openapi.ts';

const compress = promisify(gzip);

const JSON_TYPE = 'application/json';
const PROTOBUF_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
/** Other names for a form: an older spelling, which is no valid media type, and wildcards. */
const ALIASES: Readonly<Record<string, string>> = {
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf': PROTOBUF_TYPE,
  'application/*': JSON_TYPE,
  '*/*': JSON_TYPE,
};

/** What of a request the answer depends on. */
export interface OpenApiRequest {
  /** The path's segments after `openapi`. */
  path: readonly string[];
  /** The media types of the Accept header, best first. */
  accepted: readonly string[];
  acceptEncoding: string | undefined;
  ifNoneMatch: string | undefined;
  /** The query parameter of that name: the content that the client expects. */
  hash: string | null;
}

export interface OpenApiAnswer {
  code: number;
  headers: Record<string, string>;
  /** Absent from a 304, which has none. */
  body?: Uint8Array;
}

/** @returns undefined when there is no such document. */
export async function answerOpenApi(
  resources: readonly ResourceDefinition[],
  schema: Schema,
  request: OpenApiRequest,
): Promise<OpenApiAnswer | undefined> {
  const { path, hash } = request;
  const forms = formsOf(resources, schema, path);
  if (!forms) return undefined;
  const headers: Record<string, string> = { vary: 'Accept, Accept-Encoding' };
  const contentType = request.accepted
    .map((type) => own(ALIASES, type) ?? type)
    .find((type) => Object.hasOwn(forms, type));
  const document = contentType === undefined ? undefined : forms[contentType]?.();
  if (contentType === undefined || !document) return { code: 406, headers, body: Buffer.alloc(0) };

  headers['content-type'] = contentType;
  headers.etag = `"${document.hash}"`;
  headers['cache-control'] = 'no-cache, private';
  const groupVersion = path.slice(1).join('/');
  if (hash && groupVersion) {
    if (hash !== document.hash) {
      // Asked for by an index that is no longer true: what is served now must not be kept under that hash.
      headers.location = serverRelativeUrl(groupVersion, document.hash);
      return { code: 301, headers, body: Buffer.alloc(0) };
    }
    headers['cache-control'] = 'public, max-age=31536000, immutable';
  }
  if (matches(request.ifNoneMatch, document.hash)) return { code: 304, headers };
  if (!/\bgzip\b/.test(request.acceptEncoding ?? '')) return { code: 200, headers, body: document.body };
  headers['content-encoding'] = 'gzip';
  return { code: 200, headers, body: await compressed(document) };
}

/** The forms that a path has, by media type, each made when it is wanted. */
function formsOf(
  resources: readonly ResourceDefinition[],
  schema: Schema,
  [version, ...rest]: readonly string[],
): Record<string, () => OpenApiDocument> | undefined {
  const groupVersion = rest.join('/');
  if (version === 'v2' && !groupVersion) {
    return {
      [JSON_TYPE]: () => openApiV2(resources, schema),
      [PROTOBUF_TYPE]: () => openApiV2Protobuf(resources, schema),
    };
  }
  if (version !== 'v3') return undefined;
  if (!groupVersion) return { [JSON_TYPE]: () => openApiV3Index(resources, schema) };
  const document = openApiV3(resources, schema, groupVersion);
  return document && { [JSON_TYPE]: () => document };
}

/** Whether the client has this content already: If-None-Match is `*` or lists its tag, perhaps as a weak one. */
function matches(ifNoneMatch: string | undefined, hash: string): boolean {
  const tags = ifNoneMatch?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return tags.some((tag) => tag === '*' || tag === `"${hash}"`);
}

const compressedBodies = new WeakMap<OpenApiDocument, Promise<Buffer>>();

function compressed(document: OpenApiDocument): Promise<Buffer> {
  let body = compressedBodies.get(document);
  if (!body) {
    body = compress(document.body, { level: 6 });
    compressedBodies.set(document, body);
  }
  return body;
}
