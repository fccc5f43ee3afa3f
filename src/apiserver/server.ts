// The API server's pipeline: takes a request free of HTTP, and hands it to the file of its verb. What is served is
// the table of resources it is made with.

import type { KeyObject } from 'node:crypto';
import { internal, methodNotSupported, pathNotFound, StatusError } from '../api/errors.ts';
import type { ResourceDefinition } from '../api/resource.ts';
import { errorText } from '../base/error-text.ts';
import { Metrics } from '../base/metrics.ts';
import { own } from '../base/own.ts';
import { Pipeline } from './admission/pipeline.ts';
import { admissionPlugins } from './admission/plugins.ts';
import { Expiry } from './expiry.ts';
import { createIdentity, type Identity } from './identity.ts';
import { Registry, type RegistryParts } from './registry.ts';
import type { ApiRequest, ApiResult, ApiServer } from './request.ts';
import { addServerMetrics } from './server-metrics.ts';
import { meteredStore } from './store-metrics.ts';
import { bind } from './verbs/binding.ts';
import { create } from './verbs/create.ts';
import { deleteObject } from './verbs/delete.ts';
import { deleteCollection } from './verbs/delete-collection.ts';
import { evict } from './verbs/eviction.ts';
import { finalize } from './verbs/finalize.ts';
import { get } from './verbs/get.ts';
import { list } from './verbs/list.ts';
import { patch } from './verbs/patch.ts';
import { scale } from './verbs/scale.ts';
import { update } from './verbs/update.ts';
import { watch } from './verbs/watch.ts';
import { OtherVersion } from './versions/other-version.ts';

export interface ApiServerOptions extends RegistryParts {
  /** Addresses for Services: of one family, as `10.96.0.0/16`, or of both, as `10.96.0.0/16,fd00::/108`. */
  serviceCidr: string;
  /** Signs the tokens of service accounts: an EC key on P-256. Without one, tokens end with this server. */
  serviceAccountKey?: KeyObject;
  /** Where /metrics' numbers are kept: those of other rooms, too, if they have it. */
  metrics?: Metrics;
}

/** An API server that runs; `stop` ends its watches (the store is not its own, and stays open). */
export interface RunningApiServer extends ApiServer {
  /** Who has which token, who may do what, and how others verify: for `serveHttps`. */
  identity: Pick<Identity, 'authenticateToken' | 'authorize' | 'documents'>;
  /**
   * Serves one more resource from now on, as if it had been in the table from the start: its verbs, discovery, OpenAPI,
   * tables, server-side apply; in protobuf, too, if its types have numbers.
   * @throws Error if its path or a type's name is taken.
   */
  addResource(resource: ResourceDefinition): void;
  /**
   * Serves a resource no longer: its path is not found, its watches end, its types are forgotten. Its objects stay in
   * the store, and are there again when it is; whoever wants them gone deletes them first.
   */
  removeResource(resource: Pick<ResourceDefinition, 'group' | 'version' | 'plural'>): void;
  stop(): void;
}

type Handler = (pipeline: Pipeline, request: ApiRequest) => Promise<ApiResult>;

/** Subresources that do something; those that only stream (log, exec, …) are http/'s. */
const ACTIONS: Readonly<Record<string, Handler>> = { binding: bind, eviction: evict, finalize };

const VERBS: Readonly<Record<ApiRequest['verb'], Handler>> = {
  get: ({ registry }, request) => get(registry, request),
  list: ({ registry }, request) => list(registry, request),
  watch: ({ registry }, request) => watch(registry, request),
  create,
  update,
  patch,
  delete: deleteObject,
  deletecollection: deleteCollection,
};

export function createApiServer(options: ApiServerOptions): RunningApiServer {
  const { log } = options;
  let { resources } = options;
  const metrics = options.metrics ?? new Metrics();
  const registry = new Registry({
    ...options,
    store: meteredStore(options.store, metrics, options.clock),
  });
  const identity = createIdentity(registry, options.serviceAccountKey);
  const pipeline = new Pipeline(registry, [...admissionPlugins(options.serviceCidr), identity.guard]);
  const byPath = new Map(resources.map((each) => [pathOf(each.group, each.version, each.plural), each]));
  const versions = new WeakMap<ResourceDefinition, OtherVersion>();
  const expiries = new WeakMap<ResourceDefinition, Expiry>();
  const prepare = (resource: ResourceDefinition): void => {
    const { storedAs, expiry } = resource;
    if (storedAs) versions.set(resource, new OtherVersion(registry, resource, storedAs, serveStored));
    if (expiry) expiries.set(resource, new Expiry(registry, resource));
  };
  const serveStored = async (request: ApiRequest): Promise<ApiResult> => {
    const { resource, verb } = request;
    if (verb === 'create' || verb === 'list') await expiries.get(resource)?.sweep();
    return identity.answer(pipeline, request) ?? handlerOf(request)(pipeline, request);
  };
  resources.forEach(prepare);
  const listeners = new Set<() => void>();
  /** A new list: documents about the old one are made anew. */
  const serveOnly = (served: readonly ResourceDefinition[]): void => {
    resources = served;
    for (const listener of listeners) listener();
  };
  addServerMetrics(metrics, options.store, () => resources, options.clock);
  return {
    metrics,
    async handle(asked) {
      const { group, version, plural } = asked.resource;
      const resource = byPath.get(pathOf(group, version, plural));
      if (!resource) throw pathNotFound();
      const request = resource === asked.resource ? asked : { ...asked, resource };
      try {
        const version = versions.get(resource);
        if (!version) return await serveStored(request);
        handlerOf(request);
        return await version.handle(request);
      } catch (error) {
        if (error instanceof StatusError) throw error;
        const { verb, namespace, name } = request;
        log.error('request failed', error, { verb, resource: resource.plural, namespace, name });
        throw internal(errorText(error));
      }
    },
    resource: (group, version, plural) => byPath.get(pathOf(group, version, plural)),
    resources: () => resources,
    schema: registry.schema,
    identity,
    onResourcesChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    addResource(resource) {
      const { group, version, plural } = resource;
      const path = pathOf(group, version, plural);
      if (byPath.has(path)) throw new Error(`${path} is served already`);
      registry.addResource(resource);
      byPath.set(path, resource);
      prepare(resource);
      serveOnly([...resources, resource]);
    },
    removeResource({ group, version, plural }) {
      const resource = byPath.get(pathOf(group, version, plural));
      if (!resource) return;
      // Other versions of what goes, first.
      const gone = [...resources.filter(({ storedAs }) => storedAs?.resource === resource), resource];
      for (const each of gone) byPath.delete(pathOf(each.group, each.version, each.plural));
      serveOnly(resources.filter((each) => !gone.includes(each)));
      for (const each of gone) registry.removeResource(each);
    },
    stop: () => registry.stop(),
  };
}

function pathOf(group: string, version: string, plural: string): string {
  return `${group}/${version}/${plural}`;
}

/** The code for a request. Throws NotFound for a subresource that is not served, MethodNotAllowed for a verb. */
function handlerOf({ resource, subresource, verb }: ApiRequest): Handler {
  if (!subresource) {
    if (!resource.verbs.includes(verb)) throw methodNotSupported(resource, verb);
    return VERBS[verb];
  }
  if (subresource === 'status' && resource.hasStatus) {
    return requireVerb(resource, subresource, verb, ['get', 'update', 'patch'], VERBS[verb]);
  }
  if (subresource === 'scale' && resource.scale) {
    return requireVerb(resource, subresource, verb, ['get', 'update', 'patch'], scale);
  }
  if (resource.parts && Object.hasOwn(resource.parts, subresource)) {
    return requireVerb(resource, subresource, verb, ['get', 'update', 'patch'], VERBS[verb]);
  }
  const action = own(ACTIONS, subresource);
  const declared = own(resource.actions, subresource);
  if (!action || !declared) throw pathNotFound();
  return requireVerb(resource, subresource, verb, declared.verbs, action);
}

function requireVerb(
  resource: ResourceDefinition,
  subresource: string,
  verb: ApiRequest['verb'],
  allowed: readonly ApiRequest['verb'][],
  handler: Handler,
): Handler {
  if (allowed.includes(verb)) return handler;
  throw methodNotSupported({ ...resource, plural: `${resource.plural}/${subresource}` }, verb);
}
