// POST to pods/eviction: a deletion that respects disruption budgets. Follows
// pkg/registry/core/pod/storage/eviction.go.
import { StatusError, tooManyRequests } from '../../api/errors.ts';
import type { Eviction, Pod, PodDisruptionBudget } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { decode } from '../../api/schema/decode.ts';
import { selectorOf } from '../../api/selectors.ts';
import { Admission, type AdmissionPlugin } from '../admission/admission.ts';
import type { Registry } from '../registry.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { deleteKey } from './delete.ts';
import { keyOfRequest } from './request-key.ts';
import { success } from './success.ts';

const RETRY_AFTER_SECONDS = 10;

export async function evict(
  registry: Registry,
  plugins: readonly AdmissionPlugin[],
  request: ApiRequest,
): Promise<ApiResult> {
  const key = keyOfRequest(request);
  const eviction = decode('Eviction', request.body, request.options.fieldValidation ?? 'Warn')
    .object as Eviction;
  const pod = (await registry.get(request.resource, key)) as Stored<Pod>;
  await admitEviction(registry, plugins, request, pod, eviction);
  if (needsBudget(pod)) await spendBudget(registry, pod, request.options.dryRun ?? false);
  const deleteOptions = eviction.deleteOptions ?? {};
  await deleteKey(
    registry,
    plugins,
    { ...request, verb: 'delete', subresource: undefined, deleteOptions },
    key,
  );
  return success(201);
}

/** An eviction is something that is created, before it is a deletion. */
async function admitEviction(
  registry: Registry,
  plugins: readonly AdmissionPlugin[],
  { resource, subresource, user, options }: ApiRequest,
  pod: Stored<Pod>,
  { apiVersion = 'policy/v1', kind = 'Eviction', metadata = {} }: Eviction,
): Promise<void> {
  const object = { apiVersion, kind, metadata };
  const base = { operation: 'CREATE' as const, resource, subresource, key: pod.metadata, object, old: pod };
  const admission = new Admission(plugins, registry);
  try {
    await admission.admit({ ...base, user, dryRun: options.dryRun ?? false });
  } finally {
    admission.end();
  }
}

/** A pod that has ended, has not begun, or is going already disrupts nothing. */
function needsBudget(pod: Stored<Pod>): boolean {
  const phase = pod.status?.phase;
  return phase === 'Running' && pod.metadata.deletionTimestamp === undefined;
}

/** Takes one disruption from the budget that covers the pod. Throws TooManyRequests when it has none left. */
async function spendBudget(registry: Registry, pod: Stored<Pod>, dryRun: boolean): Promise<void> {
  const resource = registry.resource('policy', 'poddisruptionbudgets');
  if (!resource) return;
  const cache = await registry.cache(resource);
  const covering = [...cache.list(pod.metadata.namespace)].filter((object) => {
    const { spec } = object as Stored<PodDisruptionBudget>;
    return selectorOf(spec?.selector).matches(pod.metadata.labels);
  }) as Stored<PodDisruptionBudget>[];
  if (covering.length > 1) {
    throw new StatusError({
      message:
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      reason: 'InternalError',
      code: 500,
    });
  }
  const budget = covering[0];
  if (!budget) return;
  const status = budget.status ?? {};
  const allowed = status.disruptionsAllowed ?? 0;
  const stale = (status.observedGeneration ?? 0) < (budget.metadata.generation ?? 0);
  if (stale || allowed <= 0) throw refused(budget, stale);
  const disruptedPods = {
    ...status.disruptedPods,
    [pod.metadata.name]: new Date(registry.clock.now()).toISOString(),
  };
  const next = {
    ...budget,
    status: { ...status, disruptionsAllowed: allowed - 1, disruptedPods },
  };
  if (!(await registry.replace(resource, budget, next, dryRun))) throw refused(budget, false);
}

/** Only a budget that is about to change says when to ask again: clients wait for that long before they see a refusal. */
function refused(budget: Stored<PodDisruptionBudget>, stale: boolean): StatusError {
  const { status } = tooManyRequests(
    "Cannot evict pod as it would violate the pod's disruption budget.",
    RETRY_AFTER_SECONDS,
  );
  const { name } = budget.metadata;
  const message = stale
    ? `The disruption budget ${name} is still being processed by the server.`
    : `The disruption budget ${name} needs ${budget.status?.desiredHealthy ?? 0} healthy pods and has ${budget.status?.currentHealthy ?? 0} currently`;
  return new StatusError({
    ...status,
    details: { ...(stale ? status.details : {}), causes: [{ reason: 'DisruptionBudget', message }] },
  });
}
