// Warnings about Services (pkg/api/service/warnings.go): fields that mean nothing for their type, and old ones.
import type { Service } from '../../generated/types.ts';
import { isHeadless } from './addresses.ts';

const OLD_HINTS = 'service.kubernetes.io/topology-aware-hints';

/** @param old the service before: that nothing forwards is said once. */
export function serviceWarnings({ metadata, spec }: Service, old?: Service): string[] {
  const warnings: string[] = [];
  const { type, externalIPs = [], trafficDistribution } = spec;
  if (metadata.annotations?.[OLD_HINTS] !== undefined) {
    const now = 'service.kubernetes.io/topology-mode';
    warnings.push(`annotation ${OLD_HINTS} is deprecated, please use ${now} instead`);
  }
  const headless = type === 'ClusterIP' && isHeadless(spec);
  if (headless) {
    if (spec.loadBalancerIP) warnings.push('spec.loadBalancerIP is ignored for headless services');
    if (externalIPs.length > 0) warnings.push('spec.externalIPs is ignored for headless services');
    if (spec.sessionAffinity !== 'None') {
      warnings.push('spec.SessionAffinity is ignored for headless services');
    }
  }
  if (externalIPs.length > 0 && !headless && type !== 'ExternalName') {
    warnings.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters');
  }
  if (type === 'ExternalName' && externalIPs.length > 0) {
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  }
  if (type !== 'ExternalName' && spec.externalName) {
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  }
  if (trafficDistribution === 'PreferClose') {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  }
  if (hasAddress(spec) && !(old && hasAddress(old.spec))) warnings.push(notForwarded(spec));
  return warnings;
}

/** Whether there is an address at which the service itself is to be reached. */
function hasAddress(spec: Service['spec']): boolean {
  return spec.type !== 'ExternalName' && !(spec.type === 'ClusterIP' && isHeadless(spec));
}

/** Fields that say how traffic is forwarded, beside the addresses that it comes to. */
const FORWARDING = [
  'externalIPs',
  'externalTrafficPolicy',
  'healthCheckNodePort',
  'internalTrafficPolicy',
  'loadBalancerClass',
  'loadBalancerIP',
  'loadBalancerSourceRanges',
  'sessionAffinity',
  'sessionAffinityConfig',
  'trafficDistribution',
] as const satisfies readonly (keyof Service['spec'])[];

/** What each is if nobody has set it. */
const UNSET: ReadonlySet<unknown> = new Set([undefined, 'None', 'Cluster', 0, '']);

/** One sentence for all of it: nothing forwards, so that nothing about forwarding means anything. */
function notForwarded(spec: Service['spec']): string {
  const set = FORWARDING.filter((field) => !UNSET.has(spec[field]) && `${spec[field]}` !== '');
  const fields = [spec.type === 'ClusterIP' ? 'clusterIP' : 'type', ...set].map((field) => `spec.${field}`);
  return `${fields.join(', ')}: not supported by stead: nothing forwards traffic to a service's addresses; use the names of its pods, or clusterIP: None`;
}
