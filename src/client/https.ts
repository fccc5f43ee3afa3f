// The client over the network: stead from outside, or any Kubernetes. JSON over HTTP/1.1 with connections kept
// open; a watch is a response without end. Refusals become StatusErrors; a server that cannot be reached is an
// ordinary Error that names it.
import type { IncomingMessage } from 'node:http';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { StatusError } from '../api/errors.ts';
import type { DeleteOptions, Status } from '../api/generated/types.ts';
import type { ObjectList, WatchStream } from '../api/list-watch.ts';
import type { KubeObject, ObjectKey, Stored } from '../api/objects.ts';
import type { ResourceDefinition } from '../api/resource.ts';
import { apiVersionOf } from '../api/resource.ts';
import { pathOf } from '../api/resource-path.ts';
import { deepFreeze } from '../base/deep-freeze.ts';
import type { Client, ListOptions, Patch, WatchOptions, WriteOptions } from './client.ts';
import { DISCOVERY, resourcesOf } from './discovery.ts';
import type { ApiEndpoint } from './kubeconfig.ts';
import { UnreachableError } from './unreachable-error.ts';
import { WatchLines } from './watch-lines.ts';

/** A server that says nothing for so long does not answer. Watches have no such limit. */
const SILENCE_MS = 60_000;
const KEEP_ALIVE_MS = 30_000;
const MAX_RESPONSE_BYTES = 256 << 20;

const PATCH_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/**
 * A client of the API at an endpoint; see kubeconfig.ts for where endpoints come from.
 * @param endpoint or what gives it: when that is another than before, new connections are made to it.
 */
export function httpsClient(endpoint: ApiEndpoint | (() => ApiEndpoint)): Client {
  return new HttpsClient(typeof endpoint === 'function' ? endpoint : () => endpoint);
}

/** How an endpoint is reached. */
interface Way {
  endpoint: ApiEndpoint;
  base: URL;
  agent: HttpAgent | HttpsAgent;
}

function wayTo(endpoint: ApiEndpoint): Way {
  const base = new URL(endpoint.server);
  const { ca, cert, key, insecure } = endpoint;
  const options = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS };
  const agent =
    base.protocol === 'http:'
      ? new HttpAgent(options)
      : new HttpsAgent({ ...options, ca, cert, key, rejectUnauthorized: insecure !== true });
  return { endpoint, base, agent };
}

interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string | number | boolean | undefined> | undefined;
  body?: unknown;
  contentType?: string;
  accept?: string;
  signal?: AbortSignal | undefined;
}

class HttpsClient implements Client {
  readonly #endpoint: () => ApiEndpoint;
  #way: Way;

  constructor(endpoint: () => ApiEndpoint) {
    this.#endpoint = endpoint;
    this.#way = wayTo(endpoint());
  }

  async discover(): Promise<readonly ResourceDefinition[]> {
    const answers = ['/api', '/apis'].map((path) => this.#json({ method: 'GET', path, accept: DISCOVERY }));
    return (await Promise.all(answers)).flatMap(resourcesOf);
  }

  async get<T extends KubeObject>(resource: ResourceDefinition<T>, key: ObjectKey): Promise<Stored<T>> {
    return this.#object({ method: 'GET', path: pathOf(resource, key) });
  }

  async list<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    options: ListOptions = {},
  ): Promise<ObjectList<T>> {
    const { namespace, ...query } = options;
    const path = pathOf(resource, { namespace });
    const list = (await this.#json({ method: 'GET', path, query })) as ObjectList<T>;
    // In a list of a typed API, the items do not say what they are.
    const type = { apiVersion: apiVersionOf(resource), kind: resource.kind };
    return deepFreeze({ metadata: list.metadata, items: list.items.map((item) => ({ ...type, ...item })) });
  }

  async watch<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    options: WatchOptions,
  ): Promise<WatchStream<T>> {
    const { namespace, signal, ...selection } = options;
    const query = { ...selection, watch: true, allowWatchBookmarks: true };
    const path = pathOf(resource, { namespace });
    const response = await this.#send({ method: 'GET', path, query, signal });
    if (response.statusCode !== 200) throw await refusalOf(response);
    response.socket.setTimeout(0);
    response.socket.setKeepAlive(true, KEEP_ALIVE_MS);
    return new WatchLines<T>(response);
  }

  async create<T extends KubeObject>(resource: ResourceDefinition<T>, object: T): Promise<Stored<T>> {
    const path = pathOf(resource, { namespace: object.metadata.namespace });
    const type = { apiVersion: apiVersionOf(resource), kind: resource.kind };
    return this.#object({ method: 'POST', path, body: { ...type, ...object } });
  }

  async createSubresource(
    resource: ResourceDefinition,
    key: ObjectKey,
    subresource: string,
    body: KubeObject,
  ): Promise<KubeObject> {
    return this.#object({ method: 'POST', path: pathOf(resource, key, subresource), body });
  }

  async update<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    object: T,
    options: WriteOptions = {},
  ): Promise<Stored<T>> {
    const path = pathOf(resource, object.metadata, options.subresource);
    const type = { apiVersion: apiVersionOf(resource), kind: resource.kind };
    return this.#object({ method: 'PUT', path, body: { ...type, ...object } });
  }

  async patch<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    key: ObjectKey,
    patch: Patch,
    options: WriteOptions = {},
  ): Promise<Stored<T>> {
    return this.#object({
      method: 'PATCH',
      path: pathOf(resource, key, options.subresource),
      body: patch.body,
      contentType: PATCH_TYPES[patch.type],
      query: patch.type === 'apply' ? { fieldManager: patch.fieldManager, force: patch.force } : undefined,
    });
  }

  async delete(resource: ResourceDefinition, key: ObjectKey, options?: DeleteOptions): Promise<void> {
    const body = options && { apiVersion: 'v1', kind: 'DeleteOptions', ...options };
    await this.#json({ method: 'DELETE', path: pathOf(resource, key), body });
  }

  async #object<T extends KubeObject>(call: Call): Promise<Stored<T>> {
    // The server answers with an object of the resource it was asked for.
    return deepFreeze(await this.#json(call)) as Stored<T>;
  }

  async #json(call: Call): Promise<unknown> {
    const response = await this.#send(call);
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299) throw await refusalOf(response);
    return JSON.parse(await readBody(response));
  }

  /** Sends a request; resolves when the response's head has come. */
  #send({ method, path, query = {}, body, contentType, accept, signal }: Call): Promise<IncomingMessage> {
    const endpoint = this.#endpoint();
    // Requests under way go on as they are.
    if (endpoint !== this.#way.endpoint) this.#way = wayTo(endpoint);
    const { agent, base } = this.#way;
    const url = new URL(base.pathname.replace(/\/$/, '') + path, base);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const { token } = endpoint;
    const headers = {
      accept: accept ?? 'application/json',
      'user-agent': 'stead',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(payload
        ? { 'content-type': contentType ?? 'application/json', 'content-length': payload.length }
        : {}),
    };
    const request = url.protocol === 'http:' ? httpRequest : httpsRequest;
    return new Promise((resolve, reject) => {
      const outgoing = request(url, { method, headers, agent, timeout: SILENCE_MS, signal });
      outgoing.on('response', resolve);
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${SILENCE_MS / 1000} s`)));
      outgoing.on('error', (error) => {
        reject(new UnreachableError(base.origin, error));
      });
      outgoing.end(payload);
    });
  }
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_RESPONSE_BYTES) throw new Error('the API answered with more than can be read at once');
  }
  return Buffer.concat(chunks).toString();
}

/** The error that a response other than 2xx stands for. */
async function refusalOf(response: IncomingMessage): Promise<StatusError> {
  const text = await readBody(response);
  const status = statusOf(text);
  if (status) return new StatusError(status);
  const code = response.statusCode ?? 0;
  const message = `the server answered ${code} ${response.statusMessage ?? ''}: ${text.trim().slice(0, 500)}`;
  return new StatusError({ message, reason: 'Unknown', code });
}

function statusOf(text: string): Status | undefined {
  try {
    const body: unknown = JSON.parse(text);
    const isStatus = typeof body === 'object' && body !== null && 'kind' in body && body.kind === 'Status';
    // The API's own word for what it is.
    return isStatus ? (body as Status) : undefined;
  } catch {
    return undefined;
  }
}
