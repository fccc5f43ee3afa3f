// DELETE of one object: at once, or gracefully (the node stops the pod first), or once its finalizers are through.
// Follows apiserver pkg/registry/rest/delete.go and pkg/registry/generic/registry/store.go (Delete).

import {
  conflict,
  type FieldError,
  invalid,
  invalidValue,
  notSupported,
  OBJECT_WAS_MODIFIED,
} from '../../api/errors.ts';
import type { DeleteOptions } from '../../api/generated/types.ts';
import { isTerminating, type ObjectKey, type Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { timestamp } from '../../base/clock.ts';
import { sameJson } from '../../base/same-json.ts';
import type { DeletionRequest } from '../admission/admission.ts';
import type { Pipeline } from '../admission/pipeline.ts';
import { thawed } from '../codec.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { keyOfRequest } from './request-key.ts';
import { CONFLICT_TRIES } from './update.ts';

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';
const PROPAGATION_POLICIES: readonly string[] = ['Foreground', 'Background', 'Orphan'];
const OPTIONS_SUBJECT = { group: 'meta.k8s.io', kind: 'DeleteOptions', plural: 'deleteoptions' };

/** What a deletion does to an object: removes it, writes a version that is going, or nothing more than is done. */
export type DeletionStep = { type: 'remove' } | { type: 'mark'; object: Stored } | { type: 'wait' };

export async function deleteObject(pipeline: Pipeline, request: ApiRequest): Promise<ApiResult> {
  return deleteKey(pipeline, request, keyOfRequest(request));
}

/** Deletes one object of the request's resource. Throws NotFound, and Conflict for preconditions that fail. */
export async function deleteKey(pipeline: Pipeline, request: ApiRequest, key: ObjectKey): Promise<ApiResult> {
  const { resource } = request;
  const options = deleteOptionsOf(request);
  const dryRun = request.options.dryRun || options.dryRun?.includes('All') || false;
  for (let attempt = 1; ; attempt++) {
    const current = await pipeline.registry.get(resource, key);
    checkPreconditions(resource, current, options);
    const result = await deleteOnce(pipeline, request, current, { options, dryRun });
    if (result) return result;
    if (options.preconditions?.resourceVersion || attempt >= CONFLICT_TRIES) {
      throw conflict(resource, key.name, OBJECT_WAS_MODIFIED);
    }
  }
}

/** One try; undefined when another write came in between. */
async function deleteOnce(
  pipeline: Pipeline,
  { resource, user }: ApiRequest,
  current: Stored,
  { options, dryRun }: { options: DeleteOptions; dryRun: boolean },
): Promise<ApiResult | undefined> {
  const { registry } = pipeline;
  const asked: DeletionRequest = {
    operation: 'DELETE',
    resource,
    subresource: undefined,
    key: current.metadata,
    object: undefined,
    old: current,
    user,
    dryRun,
  };
  return pipeline.admittedDeletion(asked, async (deletion) => {
    const { warnings } = deletion;
    const step = deletionStep(resource, current, options, registry.clock.now());
    if (step.type === 'wait') return { type: 'object', code: 200, object: current, warnings };
    if (step.type === 'mark') {
      const marked = await registry.replace(resource, current, step.object, dryRun);
      return marked && { type: 'object', code: 200, object: marked, warnings };
    }
    deletion.written = await registry.remove(resource, current, dryRun);
    return deletion.written ? deleted(resource, current, warnings) : undefined;
  });
}

function deleteOptionsOf(request: ApiRequest): DeleteOptions {
  const options = request.deleteOptions ?? {};
  const { propagationPolicy: policy, dryRun = [] } = options;
  const errors: FieldError[] = [];
  if (options.orphanDependents !== undefined && policy !== undefined) {
    const why = 'orphanDependents and deletionPropagation cannot be both set';
    errors.push(invalidValue('propagationPolicy', policy, why));
  }
  if (policy !== undefined && !PROPAGATION_POLICIES.includes(policy)) {
    errors.push(notSupported('propagationPolicy', policy, [...PROPAGATION_POLICIES, 'nil']));
  }
  if (dryRun.some((each) => each !== 'All')) errors.push(notSupported('dryRun', dryRun, ['All']));
  if (errors.length > 0) throw invalid(OPTIONS_SUBJECT, '', errors);
  return options;
}

/** Throws Conflict when the object is another, or another version, than the options insist on. */
export function checkPreconditions(
  resource: ResourceDefinition,
  current: Stored,
  options: DeleteOptions,
): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const { metadata } = current;
  // Upstream names the kind here, where it elsewhere names the resource.
  const subject = { ...resource, plural: resource.kind };
  if (uid && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(subject, metadata.name, why);
  }
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(subject, metadata.name, why);
  }
}

/** Decides what a deletion does now. Pure: the same object, options and time give the same step. */
function deletionStep(
  resource: ResourceDefinition,
  current: Stored,
  options: DeleteOptions,
  nowMs: number,
): DeletionStep {
  const graceSeconds = graceOf(resource, current, options);
  const old = current.metadata;
  const finalizers = finalizersFor(old.finalizers ?? [], options);
  const held = finalizers.length > 0 || resource.strategy.holdsDeletion?.(current) === true;
  if (graceSeconds === 0 && !held) return { type: 'remove' };
  const metadata = { ...old };
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  if (!isTerminating(current)) {
    metadata.deletionTimestamp = timestamp(nowMs + graceSeconds * 1000);
    metadata.deletionGracePeriodSeconds = graceSeconds;
    if (old.generation) metadata.generation = old.generation + 1;
  } else if (graceSeconds < (old.deletionGracePeriodSeconds ?? 0)) {
    const requestedMs = Date.parse(`${old.deletionTimestamp}`) - (old.deletionGracePeriodSeconds ?? 0) * 1000;
    metadata.deletionTimestamp = timestamp(requestedMs + graceSeconds * 1000);
    metadata.deletionGracePeriodSeconds = graceSeconds;
  }
  if (sameJson(metadata, old)) return { type: 'wait' };
  const object = thawed({ ...current, metadata });
  if (!isTerminating(current)) resource.strategy.prepareForDeletion?.(object);
  return { type: 'mark', object };
}

/** Seconds that the node has; a deletion that is under way can only be shortened. */
function graceOf(resource: ResourceDefinition, current: Stored, options: DeleteOptions): number {
  const asked = options.gracePeriodSeconds;
  if (!isTerminating(current)) {
    const own = resource.strategy.gracePeriodSeconds?.(current);
    return own === undefined ? 0 : atLeastOne(asked ?? own);
  }
  const pending = current.metadata.deletionGracePeriodSeconds ?? 0;
  return asked === undefined ? pending : Math.min(pending, atLeastOne(asked));
}

/** A negative period means the shortest there is. */
const atLeastOne = (seconds: number): number => (seconds < 0 ? 1 : seconds);

/** The finalizers with those that the propagation policy adds or takes away. */
function finalizersFor(finalizers: readonly string[], options: DeleteOptions): string[] {
  const policy =
    options.propagationPolicy ??
    (options.orphanDependents === undefined ? undefined : options.orphanDependents ? 'Orphan' : 'Background');
  if (policy === undefined) return [...finalizers];
  const others = finalizers.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  if (policy === 'Orphan') return [...others, ORPHAN];
  if (policy === 'Foreground') return [...others, FOREGROUND];
  return others;
}

function deleted(resource: ResourceDefinition, object: Stored, warnings: readonly string[]): ApiResult {
  if (resource.returnsDeleted) return { type: 'object', code: 200, object, warnings };
  const { name, uid } = object.metadata;
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(resource.group ? { group: resource.group } : {}), kind: resource.plural, uid },
  };
  return { type: 'object', code: 200, object: status, warnings };
}
