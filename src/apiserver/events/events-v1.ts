// events.k8s.io: another form of the core events, over the same store. A request is turned into one for core events,
// and its answer back.
import {
  conflict,
  invalid,
  isAlreadyExists,
  isConflict,
  isNotFound,
  OBJECT_WAS_MODIFIED,
} from '../../api/errors.ts';
import type { Event, EventsV1Event } from '../../api/generated/types.ts';
import type { KubeObject, Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { validateEventV1, validateEventV1Update } from '../../api/resources/events-v1/validation.ts';
import type { StructType } from '../../api/schema/schema.ts';
import { deepFreeze } from '../../base/deep-freeze.ts';
import { trackUpdate } from '../patch/managed-fields.ts';
import { applyPatch } from '../patch/patch.ts';
import { writerOf } from '../patch/writer.ts';
import type { ApiRequest, ApiResult, WatchEvent, WatchStream } from '../request.ts';
import { decodeObject } from '../verbs/body.ts';
import { applyOptions, refuseUid } from '../verbs/patch.ts';
import { decodePatched } from '../verbs/patch-validation.ts';
import { CONFLICT_TRIES } from '../verbs/update.ts';
import {
  EVENTS_V1,
  fromApplied,
  toApplyBase,
  toCoreSelector,
  toEventsV1,
  withNewOwners,
} from './conversion.ts';

/** Converted objects and watch events, by what they were made of: many readers share one. */
const objects = new WeakMap<object, Stored>();
const events = new WeakMap<WatchEvent, WatchEvent>();

type Handle = (request: ApiRequest) => Promise<ApiResult>;

/**
 * Serves a request for events.k8s.io.
 * @param core the core events' resource.
 * @param type of an event in the new form.
 * @param handle serves a request for core events.
 * @param nowMs server time.
 */
export async function handleEventsV1(
  core: ResourceDefinition,
  type: StructType,
  handle: Handle,
  request: ApiRequest,
  nowMs: number,
): Promise<ApiResult> {
  const { fieldSelector } = request.options;
  const options = {
    ...request.options,
    ...(fieldSelector ? { fieldSelector: toCoreSelector(fieldSelector) } : {}),
  };
  // What the body repeats is told here: the core form's body is another.
  const { repeatedKeys: _repeated, ...rest } = request;
  const asCore: ApiRequest = { ...rest, resource: core, options };
  switch (request.verb) {
    case 'create':
      return converted(await createEvent(type, request, asCore, handle, nowMs));
    case 'update':
      return converted(await updateEvent(type, request, asCore, handle, nowMs));
    case 'patch':
      return converted(await patchEvent(type, request, asCore, handle, nowMs));
    default:
      return converted(await handle(asCore));
  }
}

function createEvent(
  type: StructType,
  request: ApiRequest,
  asCore: ApiRequest,
  handle: Handle,
  nowMs: number,
) {
  const decoded = decodeBody(type, request);
  delete decoded.object.metadata.managedFields;
  refuseInvalid(request, decoded.object, undefined);
  return write(asCore, handle, owned(type, request, decoded.object, undefined, nowMs), decoded.warnings);
}

/** Written over what others write meanwhile, unless it is of one version. */
async function updateEvent(
  type: StructType,
  request: ApiRequest,
  asCore: ApiRequest,
  handle: Handle,
  nowMs: number,
): Promise<ApiResult> {
  for (let attempt = 1; ; attempt++) {
    const { object, warnings } = decodeBody(type, request);
    // A PUT may make what is not there.
    const current = await find(asCore, handle, true);
    refuseInvalid(request, object, current);
    const insists = Number(object.metadata.resourceVersion ?? 0) !== 0;
    if (current && !insists) object.metadata.resourceVersion = current.metadata.resourceVersion;
    try {
      return await write(asCore, handle, owned(type, request, object, current, nowMs), warnings);
    } catch (error) {
      if (insists || !isConflict(error) || attempt === CONFLICT_TRIES || !current) throw error;
      if (object.metadata.uid && object.metadata.uid !== current.metadata.uid) throw error;
    }
  }
}

function decodeBody(type: StructType, request: ApiRequest): { object: EventsV1Event; warnings: string[] } {
  const { resource, body, options, repeatedKeys } = request;
  const { object, warnings } = decodeObject(resource, type, body, options.fieldValidation, repeatedKeys);
  // The registry's schema of the resource is that of this type.
  return { object: object as EventsV1Event, warnings };
}

/** The event for the store, with its owners: of what is written in the new form, in that form's names. */
function owned(
  type: StructType,
  request: ApiRequest,
  event: EventsV1Event,
  current: Event | undefined,
  nowMs: number,
): Event {
  const live = current && toApplyBase(current);
  const next = withNewOwners({ ...event, apiVersion: EVENTS_V1 });
  const writer = writerOf(request, live, nowMs);
  const managedFields = writer ? trackUpdate(type, live, next, writer) : live?.metadata.managedFields;
  const { managedFields: _given, ...metadata } = next.metadata;
  return fromApplied({ ...next, metadata: { ...metadata, ...(managedFields && { managedFields }) } });
}

/** Writes an event whose owners are known: the core form's pipeline takes them as it takes those of an apply. */
async function write(
  asCore: ApiRequest,
  handle: Handle,
  body: Event,
  warnings: readonly string[],
): Promise<ApiResult> {
  const result = await handle({ ...asCore, patchType: 'apply', body });
  return result.type === 'object' ? { ...result, warnings: [...warnings, ...result.warnings] } : result;
}

/** A patch is of the new form: read, patched, and written back if nobody else has meanwhile. */
async function patchEvent(
  type: StructType,
  request: ApiRequest,
  asCore: ApiRequest,
  handle: Handle,
  nowMs: number,
): Promise<ApiResult> {
  const { patchType, resource, body } = request;
  if (!patchType) return handle(asCore);
  const apply = patchType === 'apply' ? applyOptions(nowMs, request) : undefined;
  for (let attempt = 1; attempt <= CONFLICT_TRIES; attempt++) {
    const current = await find(asCore, handle, apply !== undefined);
    if (!current) await request.authorizeCreate?.();
    const base = current ? (apply ? toApplyBase : toEventsV1)(current) : { metadata: {} };
    const patched = applyPatch(patchType, type, base, body, apply);
    if (!current) refuseUid(resource, request.name ?? '', patched);
    const { object, warnings } = decodePatched(type, request, patched);
    object.metadata.name ??= request.name;
    const event = object as EventsV1Event;
    refuseInvalid(request, event, current);
    const next = apply ? fromApplied(event) : owned(type, request, event, current, nowMs);
    try {
      return await write({ ...asCore, verb: current ? 'update' : 'create' }, handle, next, warnings);
    } catch (error) {
      if (!isConflict(error) && !isAlreadyExists(error)) throw error;
    }
  }
  throw conflict(resource, request.name ?? '', OBJECT_WAS_MODIFIED);
}

/** The new form is stricter than the core one, which everything that is stored keeps to. */
function refuseInvalid(request: ApiRequest, event: EventsV1Event, current: Event | undefined): void {
  const metadata = { ...event.metadata, namespace: event.metadata.namespace ?? request.namespace };
  const wanted = { ...event, metadata };
  const errors = current ? validateEventV1Update(wanted, toEventsV1(current)) : validateEventV1(wanted);
  if (errors.length > 0) throw invalid(request.resource, event.metadata.name ?? '', errors);
}

/** The stored event. @param mayBeMissing whether it is undefined, rather than NotFound, when there is none. */
async function find(asCore: ApiRequest, handle: Handle, mayBeMissing: boolean): Promise<Event | undefined> {
  try {
    const found = await handle({ ...asCore, verb: 'get', options: {} });
    return found.type === 'object' ? (found.object as Event) : undefined;
  } catch (error) {
    if (mayBeMissing && isNotFound(error)) return undefined;
    throw error;
  }
}

function converted(result: ApiResult): ApiResult {
  if (result.type === 'watch') return { type: 'watch', stream: convertedStream(result.stream) };
  if (result.type === 'list') {
    const items = result.list.items.map((item) => convertedObject(item) as Stored);
    return { ...result, list: { ...result.list, items } };
  }
  return { ...result, object: convertedObject(result.object) };
}

/** Events in the new form; a Status as it is. */
function convertedObject(object: KubeObject): KubeObject {
  if (object.kind !== 'Event') return object;
  let made = objects.get(object);
  if (!made) {
    made = deepFreeze(toEventsV1(object as Event)) as Stored;
    objects.set(object, made);
  }
  return made;
}

function convertedStream(stream: WatchStream): WatchStream {
  return {
    async next() {
      return (await stream.next())?.map(convertedEvent);
    },
    stop: () => stream.stop(),
  };
}

function convertedEvent(event: WatchEvent): WatchEvent {
  let made = events.get(event);
  if (!made) {
    made = { type: event.type, object: convertedObject(event.object as KubeObject) } as WatchEvent;
    events.set(event, made);
  }
  return made;
}
