// The face of the API server's pipeline: what one request asks and what it gets, free of HTTP and of bytes. HTTP
// and the in-process client both speak this; authentication happens before, encoding after.
import type { DeleteOptions } from '../api/generated/types.ts';
import type { ObjectList, WatchStream } from '../api/list-watch.ts';
import type { KubeObject } from '../api/objects.ts';
import type { ResourceDefinition, Verb } from '../api/resource.ts';
import type { RepeatedKeys } from '../api/schema/repeated-keys.ts';
import type { Schema } from '../api/schema/schema.ts';
import type { Metrics } from '../base/metrics.ts';

export interface User {
  name: string;
  groups: readonly string[];
  uid?: string;
  extra?: Record<string, string[]>;
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

/** The query parameters of every verb, parsed; each verb reads those that concern it. */
export interface RequestOptions {
  labelSelector?: string;
  fieldSelector?: string;
  limit?: number;
  continue?: string;
  resourceVersion?: string;
  /** `Exact` or `NotOlderThan`. */
  resourceVersionMatch?: string;
  allowWatchBookmarks?: boolean;
  sendInitialEvents?: boolean;
  timeoutSeconds?: number;
  dryRun?: boolean;
  fieldManager?: string;
  fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
  force?: boolean;
}

export interface ApiRequest {
  verb: Verb;
  resource: ResourceDefinition;
  subresource?: string | undefined;
  namespace?: string | undefined;
  name?: string | undefined;
  user: User;
  /** The body as parsed JSON: an object, a patch, or DeleteOptions. The server may keep and freeze it. */
  body?: unknown;
  /** What the body's text had more than once, if anybody looked. */
  repeatedKeys?: RepeatedKeys;
  patchType?: PatchType;
  deleteOptions?: DeleteOptions | undefined;
  options: RequestOptions;
  /** Asked before an update or a patch makes an object that is not there; throws Forbidden. */
  authorizeCreate?: () => Promise<void>;
  /** Ends a watch, or gives up a request nobody waits for. */
  signal?: AbortSignal | undefined;
}

export type ApiResult =
  | { type: 'object'; code: 200 | 201 | 202; object: KubeObject; warnings: readonly string[] }
  | { type: 'list'; list: ObjectList; warnings: readonly string[] }
  | { type: 'watch'; stream: WatchStream };

/** The pipeline: admission, validation, registry. Throws `StatusError`; never anything else on purpose. */
export interface ApiServer {
  handle(request: ApiRequest): Promise<ApiResult>;
  /** The resource that serves a group, version and plural, if one does. */
  resource(group: string, version: string, plural: string): ResourceDefinition | undefined;
  resources(): readonly ResourceDefinition[];
  /** Calls back whenever a resource has come or gone. Returns what ends that. */
  onResourcesChange(listener: () => void): () => void;
  /** The types of their objects. */
  readonly schema: Schema;
  /** What /metrics shows of this server. */
  readonly metrics?: Metrics;
}
