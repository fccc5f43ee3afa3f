// The way into the pipeline for who lives in this process: asks, as HTTP does, whether its user may, and has recorded
// what was asked. Who is meant by a user, and what is sent, is the client's business.
import { internal, StatusError } from '../api/errors.ts';
import type { WatchStream } from '../api/list-watch.ts';
import { pathOf } from '../api/resource-path.ts';
import type { AuditedRequest, Auditor } from './audit/auditor.ts';
import {
  type Authorizer,
  attributesOf,
  authorizeOrThrow,
  type ResourceAttributes,
} from './authz/authorize.ts';
import type { ApiRequest, ApiResult, ApiServer } from './request.ts';

/**
 * A server that refuses what the request's user may not.
 * @param auditor without it, nothing is recorded.
 */
export function authorized(
  server: Pick<ApiServer, 'handle' | 'resources'>,
  authorize: Authorizer,
  auditor?: Auditor,
): Pick<ApiServer, 'handle' | 'resources'> {
  return {
    // What is served, everybody may know (system:discovery).
    resources: () => server.resources(),
    async handle(request) {
      const asked = attributesOf(
        { ...request, subresource: request.subresource, namespace: request.namespace, name: request.name },
        request.options.fieldSelector,
      );
      const audited = auditor && begin(auditor, request, asked);
      try {
        const result = await answer(server, authorize, request, asked, audited);
        return audited ? recorded(request, result, audited) : result;
      } catch (error) {
        const { code, status } = error instanceof StatusError ? error : internal(String(error));
        audited?.complete(code, status);
        throw error;
      }
    },
  };
}

function begin(
  auditor: Auditor,
  { options, resource, subresource, user, verb, ...key }: ApiRequest,
  asked: ResourceAttributes,
): AuditedRequest | undefined {
  const { labelSelector, fieldSelector, resourceVersion } = options;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ labelSelector, fieldSelector, resourceVersion })) {
    if (value !== undefined) query.set(name, value);
  }
  if (verb === 'watch') query.set('watch', 'true');
  const path = pathOf(resource, key, subresource);
  const target = query.size === 0 ? path : `${path}?${query}`;
  return auditor.begin(
    { target, header: () => undefined, remoteAddress: undefined },
    user,
    asked,
    resource.version,
  );
}

async function answer(
  server: Pick<ApiServer, 'handle'>,
  authorize: Authorizer,
  request: ApiRequest,
  asked: ResourceAttributes,
  audited: AuditedRequest | undefined,
): Promise<ApiResult> {
  await authorizeOrThrow(authorize, request.user, asked, (decision) => audited?.decided(decision));
  audited?.asks(request);
  return server.handle({
    ...request,
    authorizeCreate: () => authorizeOrThrow(authorize, request.user, { ...asked, verb: 'create' }),
  });
}

/** The result, of which the record ends with it: at once, or with the watch. */
function recorded({ resource }: ApiRequest, result: ApiResult, audited: AuditedRequest): ApiResult {
  if (result.type !== 'watch') {
    audited.answers(resource, result);
    audited.complete(result.type === 'object' ? result.code : 200);
    return result;
  }
  audited.started(200);
  const { stream } = result;
  let ended = false;
  const end = (): void => {
    if (!ended) audited.complete(200);
    ended = true;
  };
  const watched: WatchStream = {
    async next() {
      const events = await stream.next();
      if (!events) end();
      return events;
    },
    stop() {
      stream.stop();
      end();
    },
  };
  return { type: 'watch', stream: watched };
}
