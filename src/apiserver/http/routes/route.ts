// From method and path to what is asked (apiserver pkg/endpoints/request/requestinfo.go).
import { pathNotFound, StatusError } from '../../../api/errors.ts';
import type { ResourceDefinition, Verb } from '../../../api/resource.ts';
import type { ApiServer } from '../../request.ts';

export interface ResourceRoute {
  resource: ResourceDefinition;
  verb: Verb;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
}

/** What a method that a path does not take is answered with. */
export function methodNotAllowed(): StatusError {
  return new StatusError({
    message: 'the server does not allow this method on the requested resource',
    reason: 'MethodNotAllowed',
    details: {},
    code: 405,
  });
}

/**
 * Reads a resource's URL: `/api/v1/…` or `/apis/GROUP/VERSION/…`. Throws NotFound for resources not served, and
 * MethodNotAllowed.
 * @param segments of the path, decoded.
 * @param watch whether the query says `watch=true`.
 */
export function routeResource(
  api: ApiServer,
  method: string,
  segments: readonly string[],
  watch: boolean,
): ResourceRoute {
  const core = segments[0] === 'api';
  const group = core ? '' : (segments[1] ?? '');
  const version = segments[core ? 1 : 2] ?? '';
  let rest = segments.slice(core ? 2 : 3);
  let watching = watch;
  if (rest[0] === 'watch') {
    watching = true;
    rest = rest.slice(1);
  }
  let namespace: string | undefined;
  // `namespaces/x`, `namespaces/x/status` and `namespaces/x/finalize` are about the namespace itself.
  const inNamespace = rest[0] === 'namespaces' && rest.length > 2;
  if (inNamespace && !(rest.length === 3 && (rest[2] === 'status' || rest[2] === 'finalize'))) {
    namespace = rest[1];
    rest = rest.slice(2);
  }
  const [plural = '', name, subresource, ...more] = rest;
  const resource = api.resource(group, version, plural);
  const isProxy = resource?.actions?.proxy !== undefined && subresource === 'proxy';
  if (!resource || (more.length > 0 && !isProxy) || (namespace !== undefined && !resource.namespaced))
    throw pathNotFound();
  // What follows /proxy, and the query, are the destination's.
  const verb = isProxy ? proxyVerb(method) : verbOf(method, name !== undefined, watching);
  const wellPlaced =
    !resource.namespaced || namespace !== undefined || (name === undefined && verb !== 'create');
  if (!wellPlaced) throw pathNotFound();
  return { resource, verb, namespace, name, subresource };
}

function proxyVerb(method: string): Verb {
  return method === 'OPTIONS' ? 'get' : verbOf(method, true, false);
}

function verbOf(method: string, named: boolean, watch: boolean): Verb {
  switch (method) {
    case 'GET':
    case 'HEAD':
      return watch ? 'watch' : named ? 'get' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return requireName('update', named);
    case 'PATCH':
      return requireName('patch', named);
    case 'DELETE':
      return named ? 'delete' : 'deletecollection';
    default:
      throw methodNotAllowed();
  }
}

function requireName(verb: Verb, named: boolean): Verb {
  if (named) return verb;
  throw methodNotAllowed();
}
