// What a ResourceQuota's status should say: what is allowed, and how much of it the namespace's objects take. A pure
// function; follows pkg/controller/resourcequota/resource_quota_controller.go (syncResourceQuota).
import type { ResourceQuota, ResourceQuotaStatus } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/objects.ts';
import { type Amounts, addTo } from '../../api/pod-resources.ts';
import { matchesScopes } from '../../api/quota/scopes.ts';
import { type Counted, kindOf, usageOf, writeAmount } from '../../api/quota/usage.ts';
import { sameJson } from '../../base/same-json.ts';

/** The objects of a kind in the quota's namespace; undefined when they are not known (yet). */
export type ObjectsOf = (kind: Counted) => readonly KubeObject[] | undefined;

/** The new status; undefined when it says already what it should. */
export function planQuotaStatus(quota: ResourceQuota, objectsOf: ObjectsOf): ResourceQuotaStatus | undefined {
  const hard = quota.spec.hard ?? {};
  const usages = new Map<string, Amounts>();
  const used: Record<string, string> = {};
  for (const name of Object.keys(hard)) {
    const kind = kindOf(name);
    const path = kind ? `${kind.group}/${kind.plural}` : '';
    if (kind && !usages.has(path)) {
      const objects = objectsOf(kind);
      if (objects) usages.set(path, sumOf(quota, kind, objects));
    }
    const usage = usages.get(path);
    if (usage) used[name] = writeAmount(name, usage.get(name) ?? 0n);
  }
  const status = { hard, used };
  return sameJson(quota.status?.hard ?? {}, hard) && sameJson(quota.status?.used ?? {}, used)
    ? undefined
    : status;
}

function sumOf(quota: ResourceQuota, kind: Counted, objects: readonly KubeObject[]): Amounts {
  const sum: Amounts = new Map();
  for (const object of objects) if (matchesScopes(quota, kind, object)) addTo(sum, usageOf(kind, object));
  return sum;
}

/** The kinds that a quota counts. */
export function kindsOf(quota: ResourceQuota): Counted[] {
  return Object.keys(quota.spec.hard ?? {}).flatMap((name) => kindOf(name) ?? []);
}
