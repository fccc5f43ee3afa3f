// PUT and what is like it: a new version of an object that is there. One pipeline for updates, patches, status,
// scale and finalize, which differ only in how the new version is made of the old one. Follows apiserver
// pkg/registry/generic/registry/store.go (Update) and pkg/registry/rest/update.go.
import {
  badRequest,
  boundedErrors,
  conflict,
  type FieldError,
  invalid,
  invalidValue,
  isAlreadyExists,
  OBJECT_WAS_MODIFIED,
  type StatusError,
} from '../../api/errors.ts';
import { unsupportedFields } from '../../api/fields/find-unsupported.ts';
import { isTerminating, type KubeObject, type ObjectKey, type Stored } from '../../api/objects.ts';
import type { PartStrategy, ResourceDefinition } from '../../api/resource.ts';
import { validateObjectMetaUpdate } from '../../api/validation/metadata.ts';
import { present } from '../../base/present.ts';
import { sameJson } from '../../base/same-json.ts';
import type { AdmissionRequest } from '../admission/admission.ts';
import type { Pipeline } from '../admission/pipeline.ts';
import { trackUpdate } from '../patch/managed-fields.ts';
import { writerOf } from '../patch/writer.ts';
import type { Registry } from '../registry.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { decodeObject } from './body.ts';
import { createOne, placeInNamespace } from './create.ts';
import { keyOfRequest } from './request-key.ts';

/** Tries to write over other writers when the caller does not insist on a version; upstream goes on without end. */
export const CONFLICT_TRIES = 100;

/** What part of the object a write is about. */
export type Part = 'object' | 'status' | 'other';

/** A new version of an object, as the client wants it. */
export interface Wanted {
  object: KubeObject;
  warnings: string[];
}

/** PUT of a whole object, or of its status. */
export async function update(pipeline: Pipeline, request: ApiRequest): Promise<ApiResult> {
  const { registry } = pipeline;
  const { resource, options, subresource } = request;
  const body = subresource === 'status' ? await changedPart(registry, request) : request.body;
  const read = (): Wanted =>
    decodeObject(resource, registry.typeOf(resource), body, options.fieldValidation, request.repeatedKeys);
  // Of the first try; it is changed by that, and another try is made of the body again.
  let decoded: Wanted | undefined = read();
  const { name = '', resourceVersion } = decoded.object.metadata;
  if (resource.createsOnUpdate && !subresource) {
    const created = await createMissing(pipeline, request, decoded);
    if (created) return created;
  }
  if (resource.needsVersionToUpdate && !Number(resourceVersion)) {
    throw invalid({ ...resource, kind: resource.plural }, name, [
      invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]);
  }
  return rewrite(pipeline, request, subresource === 'status' ? 'status' : 'object', () => {
    const wanted = decoded ?? read();
    decoded = undefined;
    return wanted;
  });
}

/**
 * A body for /status without what the status does not change and is the very same as in the store: clients in this
 * process send the object that they were given with another status, and its spec need not be decoded again.
 */
async function changedPart(registry: Registry, request: ApiRequest): Promise<unknown> {
  const { resource, body } = request;
  if (typeof body !== 'object' || body === null || !('spec' in body)) return body;
  const current = await registry.find(resource, keyOfRequest(request));
  if (!current || !('spec' in current) || body.spec !== current.spec) return body;
  const { spec: _spec, ...rest } = body;
  return rest;
}

/** Makes an object that is not there, of a kind that PUT makes; undefined when it is there. */
async function createMissing(
  pipeline: Pipeline,
  request: ApiRequest,
  { object, warnings }: Wanted,
): Promise<ApiResult | undefined> {
  const { resource } = request;
  const key = keyOfRequest(request);
  if (await pipeline.registry.find(resource, key)) return undefined;
  await request.authorizeCreate?.();
  requireSameName(resource, key, object);
  if (object.metadata.uid) throw otherUid(resource, key, object.metadata.uid, '');
  const { resourceVersion: _resourceVersion, ...metadata } = object.metadata;
  try {
    return await createOne(pipeline, request, { ...object, metadata }, warnings);
  } catch (error) {
    // Somebody else was quicker: then it is an update after all.
    if (isAlreadyExists(error)) return undefined;
    throw error;
  }
}

/** The object is the one that the URL names; a body without a name is. Throws BadRequest. */
export function requireSameName(
  resource: ResourceDefinition,
  key: ObjectKey,
  { metadata }: KubeObject,
): void {
  if (!metadata.name) metadata.name = key.name;
  if (metadata.name !== key.name) {
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${key.name})`,
    );
  }
  const { namespace } = metadata;
  if (resource.namespaced && namespace && namespace !== key.namespace) {
    throw badRequest(
      `the namespace of the object (${namespace}) does not match the namespace on the request (${key.namespace})`,
    );
  }
  placeInNamespace(resource, { metadata }, key.namespace);
}

/**
 * Reads the object, makes its next version, checks it, and writes it if nobody else has meanwhile; otherwise tries
 * again unless the new version insists on the old one's resourceVersion.
 * @param makeNext gives the wanted version; called once for every try. It must not change the current one.
 */
export async function rewrite(
  pipeline: Pipeline,
  request: ApiRequest,
  part: Part,
  makeNext: (current: Stored) => Wanted | Promise<Wanted>,
): Promise<ApiResult> {
  const { resource } = request;
  const key = keyOfRequest(request);
  for (let attempt = 1; ; attempt++) {
    const current = await pipeline.registry.get(resource, key);
    const wanted = await makeNext(current);
    const insists = requireSameObject(resource, key, current, wanted.object);
    const written = await writeOnce(pipeline, request, part, current, wanted);
    if (written) return written;
    if (insists || attempt >= CONFLICT_TRIES) throw conflict(resource, key.name, OBJECT_WAS_MODIFIED);
  }
}

/** Throws unless the wanted version is of this very object; tells whether it insists on the current version. */
function requireSameObject(
  resource: ResourceDefinition,
  key: ObjectKey,
  current: Stored,
  wanted: KubeObject,
): boolean {
  const { metadata } = wanted;
  requireSameName(resource, key, wanted);
  if (metadata.uid && metadata.uid !== current.metadata.uid) {
    throw otherUid(resource, key, metadata.uid, current.metadata.uid);
  }
  const { resourceVersion } = metadata;
  const insists = resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== '0';
  if (insists && resourceVersion !== current.metadata.resourceVersion) {
    throw conflict(resource, key.name, OBJECT_WAS_MODIFIED);
  }
  return insists;
}

function otherUid(resource: ResourceDefinition, key: ObjectKey, wanted: string, there: string): StatusError {
  const why = `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${there}`;
  return conflict(resource, key.name, why);
}

/** One try; undefined when another write came in between. */
async function writeOnce(
  pipeline: Pipeline,
  request: ApiRequest,
  part: Part,
  current: Stored,
  wanted: Wanted,
): Promise<ApiResult | undefined> {
  const { registry } = pipeline;
  const { resource, user, subresource } = request;
  const dryRun = request.options.dryRun ?? false;
  const strategy = part === 'object' && subresource ? resource.parts?.[subresource] : undefined;
  const object = strategy
    ? partOnly(strategy, wanted.object, current)
    : part === 'status'
      ? statusOnly(wanted.object, current)
      : wanted.object;
  const nowMs = registry.clock.now();
  // Before admission: what the server adds is nobody's.
  if (request.patchType !== 'apply') recordOwnership(registry, request, object, current, nowMs);
  const asked: AdmissionRequest = {
    operation: 'UPDATE',
    resource,
    subresource,
    key: current.metadata,
    object,
    old: current,
    user,
    dryRun,
  };
  return pipeline.admitted(asked, wanted.warnings, async (write) => {
    const next = write.object;
    keepMetadata(next, current);
    if (part === 'object' && !strategy) resource.strategy.prepareForUpdate?.(next, current, { nowMs });
    if (part === 'status') resource.strategy.prepareForStatusUpdate?.(next, current, { nowMs });
    // A pod that gets its node, a namespace that loses a finalizer: nothing that a client has asked for is new.
    if (part === 'object' && resource.countsGeneration) countGeneration(next, current);
    const unsupported =
      part === 'object'
        ? unsupportedFields(registry.typeOf(resource), next, current)
        : { errors: [], warnings: [] };
    const errors = [...validate(resource, strategy ?? part, next, current), ...unsupported.errors];
    if (errors.length > 0) throw invalid(resource, current.metadata.name, errors);
    await write.validate(next);
    const done = (object: KubeObject): ApiResult => {
      const advice = resource.strategy.warnings?.(next, current) ?? [];
      const warnings = [...write.warnings, ...advice, ...unsupported.warnings];
      return { type: 'object', code: 200, object, warnings };
    };
    if (sameJson(next, current)) return done(current);
    if (endsDeletion(resource, next, current)) {
      write.written = await registry.remove(resource, current, dryRun);
      return write.written ? done(next) : undefined;
    }
    const replaced = await registry.replace(resource, current, next, dryRun);
    write.written = replaced !== undefined;
    return replaced && done(replaced);
  });
}

/** A write to /status changes the status and metadata, and nothing else. */
export function statusOnly(wanted: KubeObject, current: Stored): KubeObject {
  const { status } = wanted as { status?: unknown };
  const { status: _status, ...kept } = current as Stored & { status?: unknown };
  return { ...kept, metadata: wanted.metadata, ...(status === undefined ? {} : { status }) };
}

/** A write to another part of the object: metadata stays, too (ResetObjectMetaForStatus). */
function partOnly(strategy: PartStrategy<KubeObject>, wanted: KubeObject, current: Stored): KubeObject {
  const { uid, resourceVersion, managedFields } = wanted.metadata;
  const own = { uid, resourceVersion, managedFields };
  return { ...strategy.merge(wanted, current), metadata: present({ ...current.metadata, ...own }) };
}

/** What no client can change: identity, version, age, and a deletion under way. */
function keepMetadata(next: KubeObject, current: Stored): void {
  const old = current.metadata;
  const { metadata } = next;
  metadata.resourceVersion = old.resourceVersion;
  if (!metadata.uid) metadata.uid = old.uid;
  if (!metadata.creationTimestamp) metadata.creationTimestamp = old.creationTimestamp;
  if (old.generation === undefined) delete metadata.generation;
  else metadata.generation = old.generation;
  if (old.generateName && !metadata.generateName) metadata.generateName = old.generateName;
  delete metadata.selfLink;
  if (old.deletionTimestamp === undefined) {
    delete metadata.deletionTimestamp;
    delete metadata.deletionGracePeriodSeconds;
    return;
  }
  metadata.deletionTimestamp = old.deletionTimestamp;
  if (old.deletionGracePeriodSeconds !== undefined) {
    metadata.deletionGracePeriodSeconds = old.deletionGracePeriodSeconds;
  }
}

/** Records who owns which field. A POST to a subresource (binding) acts for the server and owns nothing, as upstream. */
function recordOwnership(
  registry: Registry,
  request: ApiRequest,
  next: KubeObject,
  current: Stored,
  nowMs: number,
): void {
  const { verb } = request;
  const writer =
    verb === 'create' ? undefined : writerOf(request, current, nowMs, registry.versionsOf(request.resource));
  const managedFields = writer
    ? trackUpdate(registry.typeOf(request.resource), current, next, writer)
    : current.metadata.managedFields;
  if (managedFields) next.metadata.managedFields = managedFields;
  else delete next.metadata.managedFields;
}

function countGeneration(next: KubeObject, current: Stored): void {
  const { metadata: _next, status: _nextStatus, ...desired } = next as KubeObject & { status?: unknown };
  const { metadata: _current, status: _currentStatus, ...before } = current as Stored & { status?: unknown };
  if (!sameJson(desired, before)) next.metadata.generation = (current.metadata.generation ?? 0) + 1;
}

function validate(
  { strategy }: ResourceDefinition,
  part: Part | PartStrategy<KubeObject>,
  next: KubeObject,
  current: Stored,
): FieldError[] {
  return boundedErrors(() => {
    const errors = validateObjectMetaUpdate(next.metadata, current.metadata, 'metadata');
    if (typeof part === 'object') errors.push(...part.validate(next, current));
    if (part === 'object') errors.push(...(strategy.validateUpdate?.(next, current) ?? []));
    if (part === 'status') errors.push(...(strategy.validateStatusUpdate?.(next, current) ?? []));
    return errors;
  });
}

/** Whether this write takes the last finalizer off an object whose deletion waits for nothing else. */
function endsDeletion(resource: ResourceDefinition, next: KubeObject, current: Stored): boolean {
  return (
    isTerminating(current) &&
    (next.metadata.finalizers ?? []).length === 0 &&
    resource.strategy.holdsDeletion?.(next) !== true &&
    (current.metadata.deletionGracePeriodSeconds ?? 0) === 0
  );
}
