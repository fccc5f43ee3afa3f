// A request for objects: read from HTTP, handed to the pipeline, and its result sent back.
import { badRequest, StatusError } from '../../../api/errors.ts';
import type { DeleteOptions } from '../../../api/generated/types.ts';
import { decode } from '../../../api/schema/decode.ts';
import { MAX_FIELD_MANAGER_BYTES } from '../../../api/validation/managed-fields.ts';
import type { AuditedRequest } from '../../audit/auditor.ts';
import { nodeNameOf } from '../../authz/node.ts';
import { makeMessages } from '../../protobuf/encode.ts';
import { hasProtobuf } from '../../protobuf/numbered-fields.ts';
import type { ApiRequest, ApiServer, User } from '../../request.ts';
import { mediaTypeOf, negotiate } from '../forms/accept.ts';
import { encodeList, encodeOne, type Form, jsonList } from '../forms/encode.ts';
import { type ParsedBody, parsedBody, patchTypeOf } from '../forms/request-body.ts';
import { send, sendInParts, wantsPlain } from '../forms/respond.ts';
import { includeObjectOf, type TableOptions } from '../forms/table.ts';
import type { YamlThread } from '../forms/yaml-thread.ts';
import type { Exchange } from '../port/exchange.ts';
import type { RequestMetrics } from '../traffic/request-metrics.ts';
import { deleteOptionsOf, requestOptions } from './query.ts';
import type { ResourceRoute } from './route.ts';
import { sendWatch } from './watch-response.ts';

/** What is asked, by whom, once it is known that they may. */
export interface Admitted {
  route: ResourceRoute;
  user: User;
  /** Whether they may also create it; throws Forbidden. */
  authorizeCreate(): Promise<void>;
  /** Where it is recorded, if it is. */
  audit: AuditedRequest | undefined;
  /** Reads and writes YAML. */
  yaml: YamlThread;
}

/** Serves one request for objects. @param nowMs the server's time. */
export async function serveResource(
  exchange: Exchange,
  api: ApiServer,
  admitted: Admitted,
  query: URLSearchParams,
  nowMs: () => number,
  metrics: Pick<RequestMetrics, 'watching' | 'sent'>,
): Promise<void> {
  const { route, audit } = admitted;
  const type = api.schema.type(route.resource.schema);
  const accepted = negotiate(exchange.header('accept'), hasProtobuf(type));
  const request = await apiRequest(exchange, api, admitted, query);
  const includeObject = includeObjectOf(query);
  const tableOptions = (): TableOptions => ({ includeObject, nowMs: nowMs() });
  audit?.asks(request);
  const result = await api.handle(request);
  if (result.type === 'watch') {
    audit?.started(200);
    const ended = metrics.watching(route);
    try {
      await sendWatch(exchange, api.schema, route.resource, result.stream, accepted, tableOptions, (events) =>
        metrics.sent(route, events),
      );
    } finally {
      ended();
    }
    return;
  }
  audit?.answers(route.resource, result);
  const isJson = accepted.format === 'json' && accepted.shape === 'object';
  if (result.type === 'list' && isJson && result.list.items.length > MANY_ITEMS && wantsPlain(exchange)) {
    return sendInParts(exchange, jsonList(route.resource, result.list));
  }
  const { format } = accepted;
  const form: Form = { ...accepted, format: format === 'yaml' ? 'json' : format };
  if (result.type === 'list' && format === 'protobuf' && hasProtobuf(type)) {
    await makeMessages(type, result.list.items);
  }
  const [code, made] =
    result.type === 'list'
      ? [200, encodeList(api.schema, route.resource, result.list, form, tableOptions)]
      : [result.code, encodeOne(api.schema, route.resource, result.object, form, tableOptions)];
  const body = format === 'yaml' ? await admitted.yaml.write(made) : made;
  await send(exchange, code, mediaTypeOf(accepted.format), body, result.warnings);
}

/** Lists of more are sent piece by piece. */
const MANY_ITEMS = 1000;

const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

/** Whether a patch is a server-side apply. */
export function isApplyPatch(exchange: Pick<Exchange, 'header'>): boolean {
  return exchange.header('content-type')?.startsWith('application/apply-patch') === true;
}

async function apiRequest(
  exchange: Exchange,
  api: ApiServer,
  { route, user, authorizeCreate, yaml }: Admitted,
  query: URLSearchParams,
): Promise<ApiRequest> {
  const { resource, verb, namespace, name, subresource } = route;
  const isApply = verb === 'patch' && isApplyPatch(exchange);
  const options = requestOptions(query, verb, isApply);
  const request: ApiRequest = { resource, verb, namespace, name, subresource, user, options };
  if (verb === 'watch') request.signal = exchange.signal;
  if (verb === 'update' || verb === 'patch') request.authorizeCreate = authorizeCreate;
  // Upstream's default; server-side apply insists on being told, and who only reads owns nothing. A node is the system.
  if (!isApply && !READS.has(verb) && nodeNameOf(user) === undefined)
    options.fieldManager ??= managerOf(exchange.header('user-agent'));
  switch (verb) {
    case 'create':
    case 'update':
      takeBody(request, await requiredBody(exchange, api, yaml, request));
      break;
    case 'patch':
      request.patchType = patchTypeOf(exchange.header('content-type'));
      takeBody(request, await requiredBody(exchange, api, yaml, request));
      break;
    case 'delete':
    case 'deletecollection':
      request.deleteOptions = deleteOptionsOf(query, await deleteBody(exchange, api, yaml));
      break;
    default:
  }
  return request;
}

/** What comes first in a User-Agent, as far as it can be printed (apiserver's managerOrUserAgent). */
function managerOf(userAgent = ''): string {
  let name = '';
  for (const character of userAgent.split('/', 1)[0] ?? '') {
    if (character !== ' ' && /[\p{C}\p{Z}]/u.test(character)) continue;
    if (Buffer.byteLength(name + character) > MAX_FIELD_MANAGER_BYTES) break;
    name += character;
  }
  return name || 'unknown';
}

function takeBody(request: ApiRequest, { value, repeated }: ParsedBody): void {
  request.body = value;
  if (repeated) request.repeatedKeys = repeated;
}

async function requiredBody(
  exchange: Exchange,
  api: ApiServer,
  yaml: YamlThread,
  { options }: ApiRequest,
): Promise<ParsedBody> {
  const body = await parsedBody(exchange, api, yaml, options.fieldValidation !== 'Ignore');
  if (body === undefined) throw badRequest('the request has no body: send the object as JSON or YAML');
  return body;
}

async function deleteBody(exchange: Exchange, api: ApiServer, yaml: YamlThread): Promise<DeleteOptions> {
  const body = (await parsedBody(exchange, api, yaml))?.value;
  if (body === undefined) return {};
  if (typeof body !== 'object' || body === null)
    throw badRequest('the body of a deletion must be DeleteOptions');
  if ('kind' in body && body.kind !== 'DeleteOptions') {
    throw new StatusError({
      ...badRequest(`${String(body.kind)} cannot be handled as DeleteOptions`).status,
    });
  }
  const {
    kind: _kind,
    apiVersion: _apiVersion,
    ...options
  } = decode(api.schema.type('DeleteOptions'), body, 'Ignore').object as DeleteOptions & {
    kind?: string;
    apiVersion?: string;
  };
  return options;
}
