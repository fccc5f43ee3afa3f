// A namespace's ResourceQuotas: nothing is written that would exceed one. How much is used, the ledger knows from the
// objects there are; the quota's status is a controller's business. Follows apiserver
// pkg/admission/plugin/resourcequota/controller.go.
import { forbidden } from '../../api/errors.ts';
import type { Container, Pod, ResourceQuota } from '../../api/generated/types.ts';
import { type KubeObject, nameOf, type Stored } from '../../api/objects.ts';
import { type Amounts, addTo, amountsOf } from '../../api/pod-resources.ts';
import { matchesScopes } from '../../api/quota/scopes.ts';
import { type Counted, countsObject, resourcesFor, usageOf, writeAmount } from '../../api/quota/usage.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';
import type { Charge } from './pending-charges.ts';
import { pathOf, QuotaLedger } from './quota-ledger.ts';

/** Where a quota names one of these, every container must say how much it takes. */
const MUST_SPECIFY = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];

export function resourceQuota(): AdmissionPlugin {
  const ledger = new QuotaLedger();
  return {
    name: 'ResourceQuota',
    async validate(request, context) {
      const { resource, operation, subresource, key, object, old, dryRun } = request;
      if (!key.namespace) return;
      if (subresource && subresource !== 'resize') return;
      // The resource decides the type.
      const quotas = (await context.list('', 'resourcequotas', key.namespace)) as Stored<ResourceQuota>[];
      const counting = quotas.filter((quota) => countsObject(quota, resource, object));
      if (counting.length === 0) return;
      const used = await ledger.open(resource, context);
      const kind = pathOf(resource);
      const from = operation === 'CREATE' ? '' : (old?.metadata.resourceVersion ?? '');
      for (const quota of counting) {
        requireSpecified(request, quota);
        const added = addedTo(quota, resource, object, old);
        if (added.size === 0) continue;
        const pending = ledger.pending(quota, context);
        const check = (held: Amounts): void => requireWithin(request, quota, added, sum(used(quota), held));
        if (dryRun) {
          check(await pending.held(kind));
          continue;
        }
        const charge: Charge = { kind, object: nameOf(key), from, added };
        await pending.add(charge, check);
        context.afterwards((written) => (written ? undefined : pending.callOff(charge)));
      }
    },
  };
}

function sum(used: Amounts, held: Amounts): Amounts {
  const all: Amounts = new Map(used);
  addTo(all, held);
  return all;
}

function addedTo(
  quota: ResourceQuota,
  kind: Counted,
  object: KubeObject,
  old: KubeObject | undefined,
): Amounts {
  const before = old && matchesScopes(quota, kind, old) ? usageOf(kind, old) : new Map<string, bigint>();
  const after = usageOf(kind, object);
  const added: Amounts = new Map();
  for (const name of resourcesFor(quota, kind)) {
    const difference = (after.get(name) ?? 0n) - (before.get(name) ?? 0n);
    if (difference > 0n) added.set(name, difference);
  }
  return added;
}

/** Throws Forbidden when a new pod does not say what it takes of the quota. */
function requireSpecified(
  { resource, operation, key, object }: AdmissionRequest,
  quota: ResourceQuota,
): void {
  if (operation !== 'CREATE' || resource.group !== '' || resource.kind !== 'Pod') return;
  // The resource decides the type.
  const unspecified = unspecifiedBy(object as Pod, quota);
  if (!unspecified) return;
  const why = `failed quota: ${quota.metadata.name}: must specify ${unspecified}`;
  throw forbidden(resource, key.name, why);
}

/** Throws Forbidden when the write would exceed the quota. */
function requireWithin(
  { resource, key }: AdmissionRequest,
  quota: Stored<ResourceQuota>,
  added: Amounts,
  used: Amounts,
): void {
  const hard = amountsOf(quota.spec.hard);
  const exceeded = [...added.keys()].sort().filter((each) => {
    return (used.get(each) ?? 0n) + (added.get(each) ?? 0n) > (hard.get(each) ?? 0n);
  });
  if (exceeded.length === 0) return;
  const print = (amounts: Amounts): string =>
    exceeded.map((each) => `${each}=${writeAmount(each, amounts.get(each) ?? 0n)}`).join(',');
  const why = `exceeded quota: ${quota.metadata.name}, requested: ${print(added)}, used: ${print(used)}, limited: ${print(hard)}`;
  throw forbidden(resource, key.name, why);
}

/** `limits.cpu for: main; limits.memory for: main,side`: what the pod should say and does not. */
function unspecifiedBy(pod: Pod, quota: ResourceQuota): string {
  const required = Object.keys(quota.spec.hard ?? {}).filter((name) => MUST_SPECIFY.includes(name));
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const missing = required.sort().map((name) => {
    const silent = containers.filter((container) => !specifies(container, pod, name));
    return { name, silent: silent.map((container) => container.name).sort() };
  });
  return missing
    .filter(({ silent }) => silent.length > 0)
    .map(({ name, silent }) => `${name} for: ${silent.join(',')}`)
    .join('; ');
}

function specifies({ resources }: Container, pod: Pod, name: string): boolean {
  const limited = name.startsWith('limits.');
  const resource = name.replace(/^(requests|limits)\./, '');
  const own = limited ? resources?.limits : resources?.requests;
  const ofPod = limited ? pod.spec.resources?.limits : pod.spec.resources?.requests;
  return own?.[resource] !== undefined || ofPod?.[resource] !== undefined;
}
