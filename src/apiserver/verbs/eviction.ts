// POST to pods/eviction: a deletion that respects disruption budgets, and that the pod itself tells of. Follows
// pkg/registry/core/pod/storage/eviction.go; what a budget says is disruption-budget.ts'.

import { badRequest, conflict, isConflict, OBJECT_WAS_MODIFIED } from '../../api/errors.ts';
import type { DeleteOptions, Eviction, Pod, PodCondition } from '../../api/generated/types.ts';
import { isTerminating, type ObjectKey, type Stored } from '../../api/objects.ts';
import { isPodFinished } from '../../api/pod-state.ts';
import { decode } from '../../api/schema/decode.ts';
import { timestamp } from '../../base/clock.ts';
import type { AdmissionRequest } from '../admission/admission.ts';
import type { Pipeline } from '../admission/pipeline.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { checkPreconditions, deleteKey } from './delete.ts';
import { askBudget, stillProcessed } from './disruption-budget.ts';
import { keyOfRequest } from './request-key.ts';
import { success } from './success.ts';
import { CONFLICT_TRIES } from './update.ts';

/** What the deletion of an evicted pod needs to know. */
interface Order {
  pipeline: Pipeline;
  request: ApiRequest;
  key: ObjectKey;
  /** As the client wants them, with the request's dryRun. */
  options: DeleteOptions;
}

export async function evict(pipeline: Pipeline, request: ApiRequest): Promise<ApiResult> {
  const key = keyOfRequest(request);
  const eviction = decode(
    pipeline.registry.schema.type('Eviction'),
    request.body,
    request.options.fieldValidation ?? 'Warn',
  ).object as Eviction;
  if (eviction.metadata?.name !== key.name) {
    throw badRequest('name in URL does not match name in Eviction object');
  }
  const order: Order = { pipeline, request, key, options: deleteOptionsOf(request, eviction) };
  const { resource, subresource, user } = request;
  const old = await podOf(order);
  const { apiVersion = 'policy/v1', kind = 'Eviction', metadata = {} } = eviction;
  // An eviction is something that is created, before it is a deletion.
  const asked: AdmissionRequest = {
    operation: 'CREATE',
    resource,
    subresource,
    key: old.metadata,
    object: { apiVersion, kind, metadata },
    old,
    user,
    dryRun: isDryRun(order),
  };
  return pipeline.admitted(asked, [], async ({ object, validate, warnings }) => {
    await validate(object);
    const pod = await evictWithoutBudget(order);
    if (pod) await evictWithBudget(order, pod);
    return success(201, warnings);
  });
}

async function podOf({ pipeline, request, key }: Order): Promise<Stored<Pod>> {
  // The resource decides the type.
  return (await pipeline.registry.get(request.resource, key)) as Stored<Pod>;
}

/** Throws BadRequest when the request and the eviction in it do not agree on whether anything is to happen. */
function deleteOptionsOf({ options }: ApiRequest, { deleteOptions = {} }: Eviction): DeleteOptions {
  const asked = options.dryRun ? ['All'] : [];
  const own = deleteOptions.dryRun ?? [];
  if (asked.length > 0 && own.length > 0 && own.join() !== asked.join()) {
    throw badRequest(
      `Non-matching dry-run options in request and content: [${asked.join(' ')}] and [${own.join(' ')}]`,
    );
  }
  return { ...deleteOptions, dryRun: own.length > 0 ? own : asked };
}

const isDryRun = ({ options }: Order): boolean => options.dryRun?.includes('All') ?? false;

/** Evicts the pod if it needs no budget; gives it back if it does. */
async function evictWithoutBudget(order: Order): Promise<Stored<Pod> | undefined> {
  for (let attempt = 1; ; attempt++) {
    const pod = await podOf(order);
    if (needsBudget(pod)) return pod;
    try {
      // One that has yet to run must not have become ready meanwhile.
      await remove(order, isOver(pod) ? order.options : onlyIfStill(pod, order.options));
      return undefined;
    } catch (error) {
      const insists = order.options.preconditions?.resourceVersion !== undefined;
      if (insists || attempt >= CONFLICT_TRIES || !isConflict(error)) throw error;
    }
  }
}

async function evictWithBudget(order: Order, pod: Stored<Pod>): Promise<void> {
  const { unhealthyBudget } = await askBudget(order.pipeline.registry, pod, isDryRun(order));
  if (!unhealthyBudget) return remove(order, order.options);
  try {
    await remove(order, onlyIfStill(pod, order.options));
  } catch (error) {
    // The pod has changed since, and may be healthy by now: the client is to ask again.
    if (!isConflict(error) || order.options.preconditions?.resourceVersion) throw error;
    throw stillProcessed(unhealthyBudget);
  }
}

const isOver = (pod: Stored<Pod>): boolean => isPodFinished(pod) || isTerminating(pod);

/** A pod that has ended, has not begun, or is going already disrupts nothing. */
function needsBudget(pod: Stored<Pod>): boolean {
  return !isOver(pod) && pod.status?.phase !== 'Pending';
}

/** The options with the condition that the pod is as it was seen, if the client has set none. */
function onlyIfStill(pod: Stored<Pod>, options: DeleteOptions): DeleteOptions {
  const { resourceVersion } = pod.metadata;
  return { ...options, preconditions: { resourceVersion, ...options.preconditions } };
}

/** Lets the pod say why it goes, and deletes it. Throws Conflict when it is not as the options want it. */
async function remove(order: Order, options: DeleteOptions): Promise<void> {
  const { pipeline, request, key } = order;
  let deleteOptions = options;
  if (!isDryRun(order)) {
    const { resourceVersion } = (await mark(order, options)).metadata;
    // The version that was asked for is followed by the one just written.
    if (options.preconditions?.resourceVersion) {
      deleteOptions = { ...options, preconditions: { ...options.preconditions, resourceVersion } };
    }
  }
  await deleteKey(pipeline, { ...request, verb: 'delete', subresource: undefined, deleteOptions }, key);
}

async function mark(order: Order, options: DeleteOptions): Promise<Stored> {
  const { pipeline, request, key } = order;
  const { registry } = pipeline;
  for (let attempt = 1; ; attempt++) {
    const pod = await podOf(order);
    checkPreconditions(request.resource, pod, options);
    const next = evicted(pod, timestamp(registry.clock.now()));
    const written = await registry.replace(request.resource, pod, next, false);
    if (written) return written;
    if (options.preconditions?.resourceVersion || attempt >= CONFLICT_TRIES) {
      throw conflict(request.resource, key.name, OBJECT_WAS_MODIFIED);
    }
  }
}

function evicted(pod: Stored<Pod>, now: string): Stored<Pod> {
  const conditions = pod.status?.conditions ?? [];
  const before = conditions.find(({ type }) => type === 'DisruptionTarget');
  const condition: PodCondition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
    lastTransitionTime: before?.status === 'True' ? (before.lastTransitionTime ?? now) : now,
  };
  if (before?.observedGeneration) condition.observedGeneration = before.observedGeneration;
  const others = conditions.filter(({ type }) => type !== 'DisruptionTarget');
  return { ...pod, status: { ...pod.status, conditions: [...others, condition] } };
}
