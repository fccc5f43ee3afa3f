// The paths that describe the server and hold no objects: discovery, OpenAPI, version.
import { apiVersionOf } from '../../../api/resource.ts';
import { answerOpenApi } from '../../openapi/answer.ts';
import type { ApiServer } from '../../request.ts';
import { negotiate, parseAccept, wantsAggregatedDiscovery } from '../forms/accept.ts';
import { encodeValue } from '../forms/encode.ts';
import { send } from '../forms/respond.ts';
import type { Exchange } from '../port/exchange.ts';
import {
  AGGREGATED_TYPE,
  aggregatedDiscovery,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
} from './discovery.ts';
import { VERSION } from './version.ts';

/** Answers such a path; false when it is none. */
export async function sendDocument(
  exchange: Exchange,
  api: ApiServer,
  segments: readonly string[],
  query: URLSearchParams,
): Promise<boolean> {
  const resources = api.resources();
  const [first = '', second, third] = segments;
  const { length } = segments;
  if (first === 'openapi') return sendOpenApi(exchange, api, segments.slice(1), query);
  if (length === 1 && (first === 'api' || first === 'apis')) {
    const accept = exchange.header('accept');
    if (wantsAggregatedDiscovery(accept)) {
      const document = aggregatedDiscovery(resources, first === 'api');
      await send(exchange, 200, AGGREGATED_TYPE, encodeValue(document, 'json'));
      return true;
    }
    const host = exchange.header(':authority') ?? exchange.header('host') ?? '';
    return sendValue(exchange, first === 'api' ? apiVersions(host) : apiGroupList(resources));
  }
  if (length === 2 && first === 'api')
    return sendValue(exchange, apiResourceList(resources, '', second ?? ''));
  if (length === 2 && first === 'apis') return sendValue(exchange, apiGroup(resources, second ?? ''));
  if (length === 3 && first === 'apis') {
    return sendValue(exchange, apiResourceList(resources, second ?? '', third ?? ''));
  }
  if (length === 1 && first === 'version') return sendIndented(exchange, VERSION);
  if (length === 0) return sendIndented(exchange, { paths: rootPaths(api) });
  return false;
}

async function sendValue(exchange: Exchange, value: object | undefined): Promise<boolean> {
  if (!value) return false;
  const format = negotiate(exchange.header('accept'), false).format === 'yaml' ? 'yaml' : 'json';
  await send(exchange, 200, `application/${format}`, encodeValue(value, format));
  return true;
}

/** What upstream indents for everybody. */
async function sendIndented(exchange: Exchange, value: object): Promise<boolean> {
  await send(exchange, 200, 'application/json', Buffer.from(JSON.stringify(value, null, 2)));
  return true;
}

async function sendOpenApi(
  exchange: Exchange,
  api: ApiServer,
  path: readonly string[],
  query: URLSearchParams,
): Promise<boolean> {
  const answer = await answerOpenApi(api.resources(), api.schema, {
    path,
    accepted: parseAccept(exchange.header('accept')).map(({ type }) => type),
    acceptEncoding: exchange.header('accept-encoding'),
    ifNoneMatch: exchange.header('if-none-match'),
    hash: query.get('hash'),
  });
  if (!answer) return false;
  if (answer.body) {
    exchange.respond(answer.code, answer.headers, answer.body);
  } else {
    exchange.start(answer.code, answer.headers);
    exchange.end();
  }
  return true;
}

/** `api/v1` or `apis/apps/v1`. */
function groupVersionPath(resource: { group: string; version: string }): string {
  return `${resource.group ? 'apis' : 'api'}/${apiVersionOf(resource)}`;
}

function rootPaths(api: ApiServer): string[] {
  const groupVersions = api.resources().map((resource) => `/${groupVersionPath(resource)}`);
  const fixed = [
    '/api',
    '/apis',
    '/healthz',
    '/livez',
    '/metrics',
    '/readyz',
    '/openapi/v2',
    '/openapi/v3',
    '/version',
  ];
  return [...new Set([...fixed, ...groupVersions])].sort();
}
