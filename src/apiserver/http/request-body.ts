// What a request's body says: JSON, YAML or protobuf, by its Content-Type; and which kind of patch it is.

import { badRequest, StatusError, unsupportedMediaType } from '../../api/errors.ts';
import { own } from '../../api/own.ts';
import { apiVersionOf } from '../../api/resource.ts';
import {
  keysInJson,
  type RepeatedKeys,
  repeatedJsonKeys,
  repeatedYamlKeys,
} from '../../api/schema/repeated-keys.ts';
import { yaml } from '../../api/yaml.ts';
import { decodeProtobuf } from '../protobuf/decode.ts';
import type { ApiServer, PatchType } from '../request.ts';
import { PROTOBUF_TYPE } from './accept.ts';
import type { Exchange } from './exchange.ts';
import { requireShallow, requireShallowYaml } from './nesting.ts';

/** As upstream's: a little more than etcd takes twice over. */
export const BODY_LIMIT = 3 * 1024 * 1024;

const PATCH_TYPES: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** Bodies that are no resource of their own. */
const OTHER_KINDS = new Set(['Binding', 'DeleteOptions', 'Eviction', 'Scale', 'TokenRequest']);

function schemaOf(api: ApiServer, apiVersion: string, kind: string): string | undefined {
  const served = api.resources().find((each) => each.kind === kind && apiVersionOf(each) === apiVersion);
  return served?.schema ?? (OTHER_KINDS.has(kind) ? kind : undefined);
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
 * @param wantsRepeated whether anybody wants to know of keys that are there more than once.
 */
export async function parsedBody(
  exchange: Exchange,
  api: ApiServer,
  wantsRepeated = false,
): Promise<ParsedBody | undefined> {
  const type = mediaType(exchange.header('content-type'));
  const asYaml = type === 'application/yaml' || type === 'application/apply-patch+yaml';
  const json = type === '' || type === '*/*' || type === 'application/json' || type.endsWith('+json');
  const bytes = await exchange.body(BODY_LIMIT);
  if (bytes.length === 0) return undefined;
  if (type === PROTOBUF_TYPE)
    return { value: decodeProtobuf(bytes, (apiVersion, kind) => schemaOf(api, apiVersion, kind)) };
  if (!asYaml && !json) throw unknownFormat(['application/json', 'application/yaml', PROTOBUF_TYPE]);
  const text = bytes.toString();
  return asYaml
    ? parseYaml(text, wantsRepeated)
    : parseJson(text, wantsRepeated ? repeatedJsonKeys : undefined);
}

function unknownFormat(accepted: readonly string[]): Error {
  return unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

/** @param findRepeated called when keys are there more than once, to say which. */
function parseJson(text: string, findRepeated?: (text: string) => RepeatedKeys | undefined): ParsedBody {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw badRequest(`the body of the request is not JSON: ${reason(error)}`);
  }
  const keys = requireShallow(value);
  return findRepeated && keysInJson(text) !== keys ? { value, repeated: findRepeated(text) } : { value };
}

/** Looking for keys that are there twice takes time that grows with the square of their number; the last one counts. */
const YAML_OPTIONS = { maxAliasCount: 100, uniqueKeys: false, logLevel: 'error' } as const;

/** JSON is YAML, too, and what most clients send as such. */
function parseYaml(text: string, wantsRepeated: boolean): ParsedBody {
  const findRepeated = wantsRepeated ? repeatedYamlKeys : undefined;
  if (/^\s*[{[]/.test(text)) {
    try {
      return parseJson(text, findRepeated);
    } catch (error) {
      if (!(error instanceof StatusError) || !error.message.includes('is not JSON')) throw error;
    }
  }
  requireShallowYaml(text);
  try {
    return { value: yaml().parse(text, YAML_OPTIONS), repeated: findRepeated?.(text) };
  } catch (error) {
    throw badRequest(`the body of the request is not YAML: ${reason(error)}`);
  }
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
