// events.k8s.io: another form of the core events, over the same store. A request is turned into one for core events,
// and its answer back.
import { conflict, isConflict, OBJECT_WAS_MODIFIED } from '../../api/errors.ts';
import type { Event } from '../../api/generated/types.ts';
import type { KubeObject, Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { deepFreeze } from '../deep-freeze.ts';
import { applyPatch } from '../patch/patch.ts';
import type { ApiRequest, ApiResult, WatchEvent, WatchStream } from '../request.ts';
import { decodeObject } from '../verbs/body.ts';
import { CONFLICT_TRIES } from '../verbs/update.ts';
import { toCoreEvent, toCoreSelector, toEventsV1 } from './conversion.ts';

/** Converted objects and watch events, by what they were made of: many readers share one. */
const objects = new WeakMap<object, Stored>();
const events = new WeakMap<WatchEvent, WatchEvent>();

type Handle = (request: ApiRequest) => Promise<ApiResult>;

/**
 * Serves a request for events.k8s.io.
 * @param core the core events' resource.
 * @param handle serves a request for core events.
 */
export async function handleEventsV1(
  core: ResourceDefinition,
  handle: Handle,
  request: ApiRequest,
): Promise<ApiResult> {
  const { fieldSelector } = request.options;
  const options = {
    ...request.options,
    ...(fieldSelector ? { fieldSelector: toCoreSelector(fieldSelector) } : {}),
  };
  const asCore: ApiRequest = { ...request, resource: core, options };
  if (request.verb === 'create' || request.verb === 'update') {
    const { object, warnings } = decodeObject(request.resource, request.body, options.fieldValidation);
    return converted(await handle({ ...asCore, body: toCoreEvent(object as never) }), warnings);
  }
  if (request.verb === 'patch') return converted(await patchEvent(request, asCore, handle), []);
  return converted(await handle(asCore), []);
}

/** A patch is of the new form: read, patched, and written back if nobody else has meanwhile. */
async function patchEvent(request: ApiRequest, asCore: ApiRequest, handle: Handle): Promise<ApiResult> {
  const { patchType, resource, body, options } = request;
  // What is applied says little of an event, and is the same in both forms as far as it does.
  if (patchType === undefined || patchType === 'apply') return handle(asCore);
  for (let attempt = 1; attempt <= CONFLICT_TRIES; attempt++) {
    const current = await handle({ ...asCore, verb: 'get', options: {} });
    if (current.type !== 'object') return current;
    const patched = applyPatch(patchType, resource.schema, toEventsV1(current.object as Event), body);
    const { object } = decodeObject(resource, patched, options.fieldValidation);
    try {
      return await handle({ ...asCore, verb: 'update', body: toCoreEvent(object as never) });
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
  throw conflict(resource, request.name ?? '', OBJECT_WAS_MODIFIED);
}

function converted(result: ApiResult, warnings: readonly string[]): ApiResult {
  if (result.type === 'watch') return { type: 'watch', stream: convertedStream(result.stream) };
  if (result.type === 'list') {
    const items = result.list.items.map((item) => convertedObject(item) as Stored);
    return { ...result, list: { ...result.list, items } };
  }
  return { ...result, object: convertedObject(result.object), warnings: [...warnings, ...result.warnings] };
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
