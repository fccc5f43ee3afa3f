// Warnings about Services (pkg/api/service/warnings.go): fields that mean nothing for their type, and old ones.
import type { Service } from '../../generated/types.ts';
import { isHeadless } from './addresses.ts';

const OLD_HINTS = 'service.kubernetes.io/topology-aware-hints';

export function serviceWarnings({ metadata, spec }: Service): string[] {
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
  return warnings;
}
