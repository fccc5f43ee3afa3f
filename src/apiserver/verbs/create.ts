// POST: a new object, from a body to a stored version. Follows apiserver pkg/endpoints/handlers/create.go,
// pkg/registry/rest/create.go and pkg/registry/generic/registry/store.go.

import {
  badRequest,
  boundedErrors,
  type FieldError,
  invalid,
  isAlreadyExists,
  type StatusError,
} from '../../api/errors.ts';
import { unsupportedFields } from '../../api/fields/find-unsupported.ts';
import { dns1123Subdomain } from '../../api/names.ts';
import type { KubeObject } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { validateObjectMeta } from '../../api/validation/metadata.ts';
import { randomSuffix, timestamp } from '../../base/clock.ts';
import type { AdmissionRequest } from '../admission/admission.ts';
import type { Pipeline } from '../admission/pipeline.ts';
import { thawed } from '../codec.ts';
import { trackUpdate } from '../patch/managed-fields.ts';
import { writerOf } from '../patch/writer.ts';
import type { Registry } from '../registry.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { decodeObject } from './body.ts';

/** Tries with new random suffixes when a generated name is taken. */
const GENERATE_NAME_TRIES = 8;
/** A generated name is cut to fit a DNS label with its suffix. */
const MAX_GENERATED_BASE = 63 - 5;

export async function create(pipeline: Pipeline, request: ApiRequest): Promise<ApiResult> {
  const { resource, options } = request;
  const { registry } = pipeline;
  const { object, warnings } = decodeObject(
    resource,
    registry.typeOf(resource),
    request.body,
    options.fieldValidation,
    request.repeatedKeys,
  );
  placeInNamespace(resource, object, request.namespace);
  if (object.metadata.resourceVersion) {
    throw badRequest('resourceVersion should not be set on objects to be created');
  }
  const { generateName } = object.metadata;
  const generated = !object.metadata.name && generateName;
  for (let attempt = 1; ; attempt++) {
    const candidate = generated ? thawed(object) : object;
    if (generated) {
      candidate.metadata.name = generateName.slice(0, MAX_GENERATED_BASE) + randomSuffix(registry.random);
    }
    try {
      return await createOne(pipeline, request, candidate, warnings);
    } catch (error) {
      if (!generated || !isAlreadyExists(error) || attempt >= GENERATE_NAME_TRIES) throw error;
    }
  }
}

/** Creates one decoded object with a name; also what server-side apply does when the object is not there. */
export async function createOne(
  pipeline: Pipeline,
  request: ApiRequest,
  wanted: KubeObject,
  given: readonly string[],
): Promise<ApiResult> {
  const { registry } = pipeline;
  const { resource, user } = request;
  const dryRun = request.options.dryRun ?? false;
  const nowMs = registry.clock.now();
  // Before admission: what the server adds is nobody's.
  if (request.patchType !== 'apply') recordOwnership(registry, request, wanted, nowMs);
  const { namespace, name = '' } = wanted.metadata;
  const asked: AdmissionRequest = {
    operation: 'CREATE',
    resource,
    subresource: undefined,
    key: { namespace, name },
    object: wanted,
    old: undefined,
    user,
    dryRun,
  };
  return pipeline.admitted(asked, given, async (write) => {
    const { object, warnings } = write;
    prepareMetadata(resource, object, registry, nowMs);
    resource.strategy.prepareForCreate?.(object, { nowMs });
    const unsupported = unsupportedFields(registry.typeOf(resource), object);
    const refused = validate(resource, object, unsupported.errors);
    if (refused) throw refused;
    await write.validate(object);
    const created = await registry.create(resource, object, dryRun);
    write.written = true;
    const advice = resource.strategy.warnings?.(created) ?? [];
    const told = [...warnings, ...advice, ...unsupported.warnings];
    return { type: 'object', code: 201, object: created, warnings: told };
  });
}

/**
 * The object goes where the request says; a body that names another namespace is refused. Of what lies in no namespace
 * it is dropped (EnsureObjectNamespaceMatchesRequestNamespace).
 */
export function placeInNamespace(
  resource: ResourceDefinition,
  { metadata }: Pick<KubeObject, 'metadata'>,
  namespace: string | undefined,
): void {
  if (!resource.namespaced) {
    delete metadata.namespace;
    return;
  }
  if ((metadata.namespace || namespace) !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (namespace !== undefined) metadata.namespace = namespace;
}

/** Whoever creates an object owns what it says; the managedFields of the body are not believed. */
function recordOwnership(registry: Registry, request: ApiRequest, object: KubeObject, nowMs: number): void {
  delete object.metadata.managedFields;
  const writer = writerOf(request, undefined, nowMs, registry.versionsOf(request.resource));
  if (!writer) return;
  const managedFields = trackUpdate(registry.typeOf(request.resource), undefined, object, writer);
  if (managedFields) object.metadata.managedFields = managedFields;
}

function prepareMetadata(
  resource: ResourceDefinition,
  object: KubeObject,
  registry: Registry,
  nowMs: number,
): void {
  const { metadata } = object;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
  delete metadata.generation;
  metadata.uid = registry.random.uuid();
  metadata.creationTimestamp = timestamp(nowMs);
  if (resource.countsGeneration) metadata.generation = 1;
}

function validate(
  resource: ResourceDefinition,
  object: KubeObject,
  more: readonly FieldError[],
): StatusError | undefined {
  const errors = boundedErrors(() => [
    ...validateObjectMeta(
      object.metadata,
      resource.namespaced,
      resource.validateName ?? dns1123Subdomain,
      'metadata',
    ),
    ...(resource.strategy.validateCreate?.(object) ?? []),
    ...more,
  ]);
  if (errors.length === 0) return undefined;
  return invalid(resource, object.metadata.name ?? object.metadata.generateName ?? '', errors);
}
