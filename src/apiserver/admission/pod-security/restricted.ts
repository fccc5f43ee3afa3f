// The checks of the level `restricted`, beside those of `baseline`: what a pod must do to be hardened. In upstream's
// order (pod-security-admission policy/check_*.go).
import type { Volume } from '../../../api/generated/types.ts';
import { baselineSeccomp, COMMON_CHECKS } from './baseline.ts';
import {
  badContainers,
  type Check,
  type CheckedContainer,
  containersOf,
  named,
  plural,
  quoted,
  setters,
  sortedSet,
} from './check.ts';

const VOLUME_TYPES = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);

const allowPrivilegeEscalation: Check = (spec) => {
  const names = badContainers(spec, (context) => context.allowPrivilegeEscalation !== false);
  if (names.length === 0) return undefined;
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${named(names)} must set securityContext.allowPrivilegeEscalation=false`,
  };
};

const capabilities: Check = (spec) => {
  const added = ({ securityContext }: CheckedContainer): string[] =>
    (securityContext?.capabilities?.add ?? []).filter((each) => each !== 'NET_BIND_SERVICE');
  const keeping = badContainers(spec, (context) => !(context.capabilities?.drop ?? []).includes('ALL'));
  const adding = badContainers(spec, (_context, container) => added(container).length > 0);
  const values = sortedSet(containersOf(spec).flatMap(added));
  const details = [
    ...(keeping.length > 0 ? [`${named(keeping)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(adding.length > 0
      ? [`${named(adding)} must not include ${quoted(values)} in securityContext.capabilities.add`]
      : []),
  ];
  return details.length === 0
    ? undefined
    : { reason: 'unrestricted capabilities', detail: details.join('; ') };
};

const restrictedVolumes: Check = (spec) => {
  const bad = (spec.volumes ?? []).flatMap((volume) => {
    const type = typeOf(volume);
    return VOLUME_TYPES.has(type) ? [] : [{ name: volume.name, type }];
  });
  if (bad.length === 0) return undefined;
  const types = sortedSet(bad.map(({ type }) => type));
  const volumes = `${plural('volume', 'volumes', bad.length)} ${quoted(bad.map(({ name }) => name))}`;
  const use = plural('uses', 'use', bad.length);
  const what = plural('restricted volume type', 'restricted volume types', types.length);
  return { reason: 'restricted volume types', detail: `${volumes} ${use} ${what} ${quoted(types)}` };
};

function typeOf(volume: Volume): string {
  const type = Object.entries(volume).find(([field, value]) => field !== 'name' && value !== undefined)?.[0];
  return type ?? 'unknown';
}

const runAsNonRoot: Check = (spec) => {
  if (spec.hostUsers === false) return undefined;
  const reason = 'runAsNonRoot != true';
  const own = spec.securityContext?.runAsNonRoot;
  const against = badContainers(spec, (context) => context.runAsNonRoot === false);
  if (own === false || against.length > 0) {
    const detail = `${setters(own === false, against)} must not set securityContext.runAsNonRoot=false`;
    return { reason, detail };
  }
  const silent = own === true ? [] : badContainers(spec, (context) => context.runAsNonRoot === undefined);
  if (silent.length === 0) return undefined;
  return { reason, detail: `pod or ${named(silent)} must set securityContext.runAsNonRoot=true` };
};

const runAsUser: Check = (spec) => {
  if (spec.hostUsers === false) return undefined;
  const pod = spec.securityContext?.runAsUser === 0;
  const names = badContainers(spec, (context) => context.runAsUser === 0);
  if (!pod && names.length === 0) return undefined;
  return { reason: 'runAsUser=0', detail: `${setters(pod, names)} must not set runAsUser=0` };
};

const seccomp: Check = (spec, metadata) => {
  const wrong = baselineSeccomp(spec, metadata);
  if (wrong || spec.securityContext?.seccompProfile) return wrong;
  const silent = badContainers(spec, (context) => context.seccompProfile === undefined);
  if (silent.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `pod or ${named(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
};

export const RESTRICTED_CHECKS: readonly Check[] = [
  ...COMMON_CHECKS,
  allowPrivilegeEscalation,
  capabilities,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccomp,
];
