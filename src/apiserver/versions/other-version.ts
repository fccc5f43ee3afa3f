// A version of a kind that is served and not stored: a request in it is turned into one in the version that is stored,
// and its answer back. What is sent is decoded, patched, checked and owned in the version that it was sent in.
import {
  badRequest,
  conflict,
  invalid,
  isAlreadyExists,
  isConflict,
  isNotFound,
  OBJECT_WAS_MODIFIED,
} from '../../api/errors.ts';
import type { WatchEvent, WatchStream } from '../../api/list-watch.ts';
import type { KubeObject, Stored } from '../../api/objects.ts';
import { apiVersionOf, type ResourceDefinition, type StoredVersion } from '../../api/resource.ts';
import { parseFieldSelector } from '../../api/selectors.ts';
import { deepFreeze } from '../../base/deep-freeze.ts';
import { own } from '../../base/own.ts';
import { present } from '../../base/present.ts';
import { unsupportedLabel } from '../cache/selection.ts';
import { trackUpdate } from '../patch/managed-fields.ts';
import { applyPatch } from '../patch/patch.ts';
import { writerOf } from '../patch/writer.ts';
import type { Registry } from '../registry.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { decodeObject } from '../verbs/body.ts';
import { applyOptions, refuseUid } from '../verbs/patch.ts';
import { decodePatched } from '../verbs/patch-validation.ts';
import { CONFLICT_TRIES, statusOnly } from '../verbs/update.ts';

type Handle = (request: ApiRequest) => Promise<ApiResult>;

export class OtherVersion {
  readonly #registry: Registry;
  readonly #resource: ResourceDefinition;
  readonly #storedAs: StoredVersion<KubeObject>;
  readonly #handle: Handle;
  /** Converted objects and watch events, by what they were made of: many readers share one. */
  readonly #objects = new WeakMap<object, KubeObject>();
  readonly #events = new WeakMap<WatchEvent, WatchEvent>();

  /**
   * @param resource in the version that is served.
   * @param handle serves a request in the version that is stored.
   */
  constructor(
    registry: Registry,
    resource: ResourceDefinition,
    storedAs: StoredVersion<KubeObject>,
    handle: Handle,
  ) {
    this.#registry = registry;
    this.#resource = resource;
    this.#storedAs = storedAs;
    this.#handle = handle;
  }

  /** Serves a request in this version. */
  async handle(request: ApiRequest): Promise<ApiResult> {
    const { fieldSelector } = request.options;
    const options = { ...request.options };
    if (fieldSelector) options.fieldSelector = this.#storedSelector(fieldSelector);
    // What the body repeats is told here: the stored form's body is another.
    const { repeatedKeys: _repeated, ...rest } = request;
    const asStored: ApiRequest = { ...rest, resource: this.#storedAs.resource, options };
    return this.#converted(await this.#write(request, asStored));
  }

  #write(request: ApiRequest, asStored: ApiRequest): Promise<ApiResult> {
    const { verb, subresource, patchType } = request;
    // Other subresources have bodies of their own.
    const isWhole = !subresource || subresource === 'status';
    if (isWhole && verb === 'create') return this.#create(request, asStored);
    if (isWhole && verb === 'update') return this.#update(request, asStored);
    if (isWhole && verb === 'patch' && patchType) return this.#patch(request, asStored);
    return this.#handle(asStored);
  }

  #create(request: ApiRequest, asStored: ApiRequest): Promise<ApiResult> {
    const { object, warnings } = this.#decoded(request);
    delete object.metadata.managedFields;
    this.#refuseInvalid(request, object, undefined);
    return this.#store(asStored, this.#owned(request, object, undefined), warnings);
  }

  /** Written over what others write meanwhile, unless it is of one version. */
  async #update(request: ApiRequest, asStored: ApiRequest): Promise<ApiResult> {
    for (let attempt = 1; ; attempt++) {
      const { object, warnings } = this.#decoded(request);
      const current = await this.#find(asStored, this.#resource.createsOnUpdate === true);
      this.#refuseInvalid(request, object, current);
      const insists = Number(object.metadata.resourceVersion ?? 0) !== 0;
      if (current && !insists && !this.#resource.needsVersionToUpdate)
        object.metadata.resourceVersion = current.metadata.resourceVersion;
      try {
        return await this.#store(asStored, this.#owned(request, object, current), warnings);
      } catch (error) {
        if (insists || !isConflict(error) || attempt === CONFLICT_TRIES || !current) throw error;
        if (object.metadata.uid && object.metadata.uid !== current.metadata.uid) throw error;
      }
    }
  }

  /** A patch is of this version: read, patched, and written back if nobody else has meanwhile. */
  async #patch(request: ApiRequest, asStored: ApiRequest): Promise<ApiResult> {
    const { patchType, resource, subresource, body } = request;
    if (!patchType) return this.#handle(asStored);
    const type = this.#registry.typeOf(resource);
    const apply = patchType === 'apply' ? applyOptions(this.#registry, request) : undefined;
    for (let attempt = 1; attempt <= CONFLICT_TRIES; attempt++) {
      const current = await this.#find(asStored, apply !== undefined && !subresource);
      if (!current) await request.authorizeCreate?.();
      const base = current ?? { metadata: {} };
      const patched = applyPatch(patchType, type, base, body, apply);
      if (!current) refuseUid(resource, request.name ?? '', patched);
      const { object, warnings } = decodePatched(type, request, patched);
      if (request.name) object.metadata.name ??= request.name;
      this.#refuseInvalid(request, object, current);
      const next = apply ? object : this.#owned(request, object, current);
      try {
        return await this.#store({ ...asStored, verb: current ? 'update' : 'create' }, next, warnings);
      } catch (error) {
        if (!isConflict(error) && !isAlreadyExists(error)) throw error;
      }
    }
    throw conflict(resource, request.name ?? '', OBJECT_WAS_MODIFIED);
  }

  #decoded({ resource, body, options, repeatedKeys }: ApiRequest) {
    const type = this.#registry.typeOf(resource);
    return decodeObject(resource, type, body, options.fieldValidation, repeatedKeys);
  }

  /** The object with its owners, of whom whoever writes is one. */
  #owned(request: ApiRequest, object: KubeObject, live: Stored | undefined): KubeObject {
    const { resource, subresource } = request;
    const next = subresource === 'status' && live ? statusOnly(object, live) : object;
    const nowMs = this.#registry.clock.now();
    const writer = writerOf(request, live, nowMs, this.#registry.versionsOf(resource));
    const managedFields = writer
      ? trackUpdate(this.#registry.typeOf(resource), live, next, writer)
      : live?.metadata.managedFields;
    return { ...next, metadata: present({ ...next.metadata, managedFields }) };
  }

  /** Writes an object whose owners are known: the pipeline takes them as it takes those of an apply. */
  async #store(asStored: ApiRequest, object: KubeObject, warnings: readonly string[]): Promise<ApiResult> {
    const { resource, toStored } = this.#storedAs;
    const body = { ...toStored(object), apiVersion: apiVersionOf(resource), kind: resource.kind };
    const result = await this.#handle({ ...asStored, patchType: 'apply', body });
    return result.type === 'object' ? { ...result, warnings: [...warnings, ...result.warnings] } : result;
  }

  /** This version may be stricter than the stored one, which everything that is stored keeps to. */
  #refuseInvalid(request: ApiRequest, object: KubeObject, current: Stored | undefined): void {
    if (request.subresource) return;
    const { strategy } = this.#resource;
    const metadata = { ...object.metadata };
    if (request.namespace) metadata.namespace ??= request.namespace;
    const wanted = { ...object, metadata };
    const errors = current ? strategy.validateUpdate?.(wanted, current) : strategy.validateCreate?.(wanted);
    if (errors && errors.length > 0) throw invalid(request.resource, object.metadata.name ?? '', errors);
  }

  /** The object in this version. @param mayBeMissing whether it is undefined, rather than NotFound, when there is none. */
  async #find(asStored: ApiRequest, mayBeMissing: boolean): Promise<Stored | undefined> {
    const { subresource: _subresource, ...whole } = asStored;
    try {
      const found = await this.#handle({ ...whole, verb: 'get', options: {} });
      return found.type === 'object' ? (this.#object(found.object) as Stored) : undefined;
    } catch (error) {
      if (mayBeMissing && isNotFound(error)) return undefined;
      throw error;
    }
  }

  // ---- answers ----------------------------------------------------------------------------------------------------

  #converted(result: ApiResult): ApiResult {
    if (result.type === 'watch') return { type: 'watch', stream: this.#stream(result.stream) };
    if (result.type === 'list') {
      const items = result.list.items.map((item) => this.#object(item) as Stored);
      return { ...result, list: { ...result.list, items } };
    }
    return { ...result, object: this.#object(result.object) };
  }

  /** Objects of the kind in this version; a Status or a Scale as it is. */
  #object(object: KubeObject): KubeObject {
    const { resource, fromStored } = this.#storedAs;
    if (object.kind !== resource.kind || object.apiVersion !== apiVersionOf(resource)) return object;
    let made = this.#objects.get(object);
    if (!made) {
      made = deepFreeze({ ...fromStored(object), ...this.#head });
      this.#objects.set(object, made);
    }
    return made;
  }

  get #head(): { apiVersion: string; kind: string } {
    return { apiVersion: apiVersionOf(this.#resource), kind: this.#resource.kind };
  }

  #stream(stream: WatchStream): WatchStream {
    return {
      next: async () => (await stream.next())?.map((event) => this.#event(event)),
      stop: () => stream.stop(),
    };
  }

  #event(event: WatchEvent): WatchEvent {
    if (event.type === 'ERROR') return event;
    // A bookmark holds nothing to convert.
    if (event.type === 'BOOKMARK') return { type: event.type, object: { ...event.object, ...this.#head } };
    let made = this.#events.get(event);
    if (!made) {
      made = { type: event.type, object: this.#object(event.object) as Stored };
      this.#events.set(event, made);
    }
    return made;
  }

  /** A field selector in the stored version's names. @throws BadRequest for a name that only the stored version has. */
  #storedSelector(selector: string): string {
    const { renamed = {} } = this.#storedAs;
    const elsewhere = Object.values(renamed);
    const terms = parseFieldSelector(selector).map(({ path, operator, value }) => {
      const [name = '', ...rest] = path.split('.');
      const stored = own(renamed, name);
      if (stored === undefined && elsewhere.includes(name)) throw badRequest(unsupportedLabel(path));
      return `${[stored ?? name, ...rest].join('.')}${operator}${value.replace(/[\\,=]/g, '\\$&')}`;
    });
    return terms.join(',');
  }
}
