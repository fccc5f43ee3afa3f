// What objects take from a ResourceQuota: which resources of it an object counts towards, and how much. Pure; the
// admission plug-in and the controller that keeps the status both count by it. Follows pkg/quota/v1/evaluator/core.
import type { PersistentVolumeClaim, Pod, ResourceQuota, Service } from '../generated/types.ts';
import type { KubeObject } from '../objects.ts';
import { type Amounts, addTo, amountsOf, podLimits, podRequests } from '../pod-resources.ts';
import { isPodFinished } from '../pod-state.ts';
import { formatQuantity } from '../quantity.ts';
import { matchesScopes } from './scopes.ts';

const ONE = 1_000_000_000n;

/** A kind of object as the quota knows it. */
export interface Counted {
  group: string;
  plural: string;
}

/** Kinds that have a name of their own in quotas, beside `count/<plural>`. */
export const COUNTED_BY_NAME: ReadonlySet<string> = new Set([
  'configmaps',
  'persistentvolumeclaims',
  'pods',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
]);
/** What a pod's requests and limits are called in a quota. */
const POD_COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];
const STORAGE_CLASS_SUFFIX = '.storageclass.storage.k8s.io/';

/** `count/statefulsets.apps`. */
function countName({ group, plural }: Counted): string {
  return `count/${plural}${group ? `.${group}` : ''}`;
}

const usages = new WeakMap<object, Amounts>();

/** What one object takes, of every resource that a quota may name. Remembered for objects that are frozen. */
export function usageOf(kind: Counted, object: KubeObject): Amounts {
  const known = usages.get(object);
  if (known) return known;
  const usage = computeUsage(kind, object);
  if (Object.isFrozen(object)) usages.set(object, usage);
  return usage;
}

function computeUsage(kind: Counted, object: KubeObject): Amounts {
  const usage: Amounts = new Map([[countName(kind), ONE]]);
  if (kind.group !== '') return usage;
  switch (kind.plural) {
    case 'pods':
      addTo(usage, podUsage(object as Pod));
      break;
    case 'services':
      addTo(usage, serviceUsage(object as Service));
      break;
    case 'persistentvolumeclaims':
      addTo(usage, claimUsage(object as PersistentVolumeClaim));
      break;
    default:
      if (COUNTED_BY_NAME.has(kind.plural)) usage.set(kind.plural, ONE);
  }
  return usage;
}

/** A pod that has ended takes nothing but its own count as an object. */
function podUsage(pod: Pod): Amounts {
  const usage: Amounts = new Map();
  if (isPodFinished(pod)) return usage;
  usage.set('pods', ONE);
  for (const [name, amount] of podRequests(pod)) {
    if (POD_COMPUTE.includes(name)) usage.set(name, amount);
    usage.set(`requests.${name}`, amount);
  }
  for (const [name, amount] of podLimits(pod)) usage.set(`limits.${name}`, amount);
  return usage;
}

function serviceUsage({ spec }: Service): Amounts {
  const usage: Amounts = new Map([['services', ONE]]);
  const ports = BigInt(spec.ports?.length ?? 0) * ONE;
  const balanced = spec.type === 'LoadBalancer';
  if (balanced) usage.set('services.loadbalancers', ONE);
  if (spec.type === 'NodePort' || (balanced && spec.allocateLoadBalancerNodePorts !== false)) {
    usage.set('services.nodeports', ports);
  }
  return usage;
}

function claimUsage({ spec, metadata }: PersistentVolumeClaim): Amounts {
  const usage: Amounts = new Map([['persistentvolumeclaims', ONE]]);
  const storage = amountsOf(spec.resources?.requests).get('storage');
  if (storage !== undefined) usage.set('requests.storage', storage);
  const className =
    metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec.storageClassName;
  if (className) {
    usage.set(`${className}${STORAGE_CLASS_SUFFIX}persistentvolumeclaims`, ONE);
    if (storage !== undefined) usage.set(`${className}${STORAGE_CLASS_SUFFIX}requests.storage`, storage);
  }
  return usage;
}

/** Which kind of object a resource of a quota is about; undefined for one that nothing here counts. */
export function kindOf(name: string): Counted | undefined {
  if (name.startsWith('count/')) {
    const [plural = '', ...group] = name.slice('count/'.length).split('.');
    return { group: group.join('.'), plural };
  }
  if (COUNTED_BY_NAME.has(name)) return { group: '', plural: name };
  if (name.startsWith('services.')) return { group: '', plural: 'services' };
  if (name === 'requests.storage' || name.includes(STORAGE_CLASS_SUFFIX)) {
    return { group: '', plural: 'persistentvolumeclaims' };
  }
  const compute = POD_COMPUTE.includes(name) || name.startsWith('requests.') || name.startsWith('limits.');
  return compute ? { group: '', plural: 'pods' } : undefined;
}

/** The resources of a quota that objects of a kind count towards. */
export function resourcesFor(quota: ResourceQuota, { group, plural }: Counted): string[] {
  return Object.keys(quota.spec.hard ?? {}).filter((name) => {
    const kind = kindOf(name);
    return kind?.group === group && kind.plural === plural;
  });
}

/** Whether the quota counts this object: its kind, and the quota's scopes. */
export function countsObject(quota: ResourceQuota, kind: Counted, object: KubeObject): boolean {
  return resourcesFor(quota, kind).length > 0 && matchesScopes(quota, kind, object);
}

/** An amount as it is written in a quota's status. */
export function writeAmount(name: string, amount: bigint): string {
  const bytes = /memory|storage/.test(name) && !name.endsWith('persistentvolumeclaims');
  return formatQuantity(amount, bytes ? 'BinarySI' : 'DecimalSI');
}
