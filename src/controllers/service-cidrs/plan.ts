// What is to be done about a ServiceCIDR: whether it is kept from going, says that it is ready, or may go because every
// address that was taken from it lies in another one, too. Pure. Follows pkg/controller/servicecidrs.
import { conditionOf } from '../../api/conditions.ts';
import type { Condition, IPAddress, ServiceCIDR } from '../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../api/objects.ts';
import { holdsAddress, isServiceAddress, rangesOf } from '../../api/service-addresses.ts';
import { timestamp } from '../../base/clock.ts';
import { includesRange, parseIp } from '../../base/ip.ts';

export const FINALIZER = 'networking.k8s.io/service-cidr-finalizer';
/** So long, ms, after it was deleted, somebody who does not know it yet may still take an address of it. */
const PROPAGATION_MS = 10_000;

export type CidrPlan =
  | { type: 'nothing' }
  /** It gets the finalizer. */
  | { type: 'protect' }
  /** Its status says so. */
  | { type: 'report'; condition: Condition }
  | { type: 'wait'; ms: number }
  /** It loses the finalizer. */
  | { type: 'release' };

/**
 * @param all the ServiceCIDRs that there are, this one among them.
 * @param addresses the IPAddresses that there are.
 */
export function planServiceCidr(
  object: Stored<ServiceCIDR>,
  all: readonly Stored<ServiceCIDR>[],
  addresses: readonly Stored<IPAddress>[],
  nowMs: number,
): CidrPlan {
  const isProtected = object.metadata.finalizers?.includes(FINALIZER) ?? false;
  if (!isTerminating(object)) {
    if (!isProtected) return { type: 'protect' };
    return report(object, 'True', '', 'Kubernetes Service CIDR is ready', nowMs);
  }
  const others = all.filter(({ metadata }) => metadata.name !== object.metadata.name);
  if (!mayGo(object, others, addresses)) {
    const message =
      'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR';
    return report(object, 'False', 'Terminating', message, nowMs);
  }
  if (!isProtected) return { type: 'nothing' };
  const left = Date.parse(`${object.metadata.deletionTimestamp}`) + PROPAGATION_MS - nowMs;
  return left > 0 ? { type: 'wait', ms: left } : { type: 'release' };
}

/** Whether no address of a Service would be in no range any more (canDeleteCIDR). */
function mayGo(
  object: ServiceCIDR,
  others: readonly ServiceCIDR[],
  addresses: readonly IPAddress[],
): boolean {
  const own = rangesOf(object);
  const left = others.flatMap(rangesOf);
  if (own.every((range) => left.some((other) => includesRange(other, range)))) return true;
  return !addresses.filter(isServiceAddress).some(({ metadata }) => {
    const ip = parseIp(metadata.name ?? '');
    return (
      ip && own.some((range) => holdsAddress(range, ip)) && !left.some((range) => holdsAddress(range, ip))
    );
  });
}

function report(
  object: ServiceCIDR,
  status: 'True' | 'False',
  reason: string,
  message: string,
  nowMs: number,
): CidrPlan {
  const before = conditionOf(object, 'Ready');
  const isSame = before?.status === status && (before.reason ?? '') === reason && before.message === message;
  if (isSame) return { type: 'nothing' };
  const lastTransitionTime = timestamp(nowMs);
  return { type: 'report', condition: { type: 'Ready', status, reason, message, lastTransitionTime } };
}
