// What a request's body says: JSON, YAML or protobuf, by its Content-Type; and which kind of patch it is.

import { badRequest, StatusError, unsupportedMediaType } from '../../../api/errors.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../api/resource.ts';
import { keysInJson, type RepeatedKeys, repeatedJsonKeys } from '../../../api/schema/repeated-keys.ts';
import type { StructType } from '../../../api/schema/schema.ts';
import { errorText } from '../../../base/error-text.ts';
import { own } from '../../../base/own.ts';
import { decodeProtobuf } from '../../protobuf/decode.ts';
import type { ApiServer, PatchType } from '../../request.ts';
import type { Exchange } from '../port/exchange.ts';
import { PROTOBUF_TYPE } from './accept.ts';
import { BODY_LIMIT, requireFewValues, requireShallow } from './body-limits.ts';
import type { YamlThread } from './yaml-thread.ts';

const PATCH_TYPES: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** Bodies of requests to any resource. */
const COMMON_KINDS: readonly string[] = ['DeleteOptions', 'Scale'];

/** The type of a body; undefined when no request has one of that kind. */
function typeOf(api: ApiServer, apiVersion: string, kind: string): StructType | undefined {
  const resources = api.resources();
  const served = resources.find((each) => each.kind === kind && apiVersionOf(each) === apiVersion);
  if (served) return api.schema.type(served.schema);
  const isTaken = ({ actions = {} }: ResourceDefinition): boolean =>
    Object.values(actions).some((action) => action.kind === kind);
  return COMMON_KINDS.includes(kind) || resources.some(isTaken) ? api.schema.find(kind) : undefined;
}

/** The media type of a header without its parameters. */
function mediaType(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** Which kind of patch the Content-Type announces. Throws UnsupportedMediaType. */
export function patchTypeOf(contentType: string | undefined): PatchType {
  const type = own(PATCH_TYPES, mediaType(contentType));
  if (!type) throw unknownFormat(Object.keys(PATCH_TYPES));
  return type;
}

/** A body, parsed: the value that it stands for, and what its text has more than once. */
export interface ParsedBody {
  value: unknown;
  repeated?: RepeatedKeys | undefined;
}

/**
 * Reads and parses a body; undefined when it is empty. Throws UnsupportedMediaType, BadRequest, or 413.
 * @param api knows the types of bodies in protobuf.
 * @param yaml reads those in YAML.
 * @param wantsRepeated whether anybody wants to know of keys that are there more than once.
 */
export async function parsedBody(
  exchange: Exchange,
  api: ApiServer,
  yaml: YamlThread,
  wantsRepeated = false,
): Promise<ParsedBody | undefined> {
  const type = mediaType(exchange.header('content-type'));
  const asYaml = type === 'application/yaml' || type === 'application/apply-patch+yaml';
  const json = type === '' || type === '*/*' || type === 'application/json' || type.endsWith('+json');
  const bytes = await exchange.body(BODY_LIMIT);
  if (bytes.length === 0) return undefined;
  if (type === PROTOBUF_TYPE)
    return { value: decodeProtobuf(bytes, (apiVersion, kind) => typeOf(api, apiVersion, kind)) };
  if (!asYaml && !json) throw unknownFormat(['application/json', 'application/yaml', PROTOBUF_TYPE]);
  return asYaml ? parseYaml(yaml, bytes, wantsRepeated) : parseJson(bytes, wantsRepeated);
}

function unknownFormat(accepted: readonly string[]): Error {
  return unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

/** A body that is no JSON: it may be YAML. */
class NotJson extends StatusError {}

function parseJson(bytes: Buffer, wantsRepeated: boolean): ParsedBody {
  requireFewValues(bytes);
  const text = bytes.toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = errorText(error);
    throw new NotJson(badRequest(`the body of the request is not JSON: ${why}`).status);
  }
  const keys = requireShallow(value);
  return wantsRepeated && keysInJson(text) !== keys ? { value, repeated: repeatedJsonKeys(text) } : { value };
}

/** JSON is YAML, too, and what most clients send as such; what is there twice in it is told as YAML tells it. */
async function parseYaml(yaml: YamlThread, bytes: Buffer, wantsRepeated: boolean): Promise<ParsedBody> {
  const text = bytes.toString();
  if (/^\s*[{[]/.test(text)) {
    try {
      const parsed = parseJson(bytes, wantsRepeated);
      if (!parsed.repeated) return parsed;
    } catch (error) {
      if (!(error instanceof NotJson)) throw error;
    }
  }
  const { json, repeated } = await yaml.read(text, wantsRepeated);
  return { value: JSON.parse(json), repeated };
}
