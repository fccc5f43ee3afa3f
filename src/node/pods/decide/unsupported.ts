// A part of the node's own admission: pods that ask for what this node never has are refused, and not run without it
// (kubelet lifecycle/predicate.go, lifecycle/handlers.go, features of the node). Pure.
import type { Pod } from '../../../api/generated/types.ts';
import { everyContainer } from './view.ts';

/** @param appArmor whether the machine's kernel enforces AppArmor profiles. */
export function unsupportedBy(pod: Pod, appArmor: boolean): { reason: string; message: string } | undefined {
  const { os, resourceClaims = [], securityContext } = pod.spec;
  if (os !== undefined && os.name !== 'linux') {
    return {
      reason: 'PodOSNotSupported',
      message: "Failed to admit pod as the OS field doesn't match node OS",
    };
  }
  if (securityContext?.supplementalGroupsPolicy === 'Strict') {
    return {
      reason: 'SupplementalGroupsPolicyNotSupported',
      message: 'SupplementalGroupsPolicy=Strict is not supported in this node',
    };
  }
  if (resourceClaims.length > 0) {
    return {
      reason: 'ResourceClaimsNotSupported',
      message: 'dynamic resource allocation (resourceClaims) is not supported in this node',
    };
  }
  const rules = everyContainer(pod).flatMap(({ restartPolicyRules = [] }) => restartPolicyRules);
  if (rules.some(({ action }) => action !== 'Restart')) {
    return {
      reason: 'RestartAllContainersNotSupported',
      message: 'restartPolicyRules with the action RestartAllContainers are not supported in this node',
    };
  }
  const contexts = [securityContext, ...everyContainer(pod).map((container) => container.securityContext)];
  const profiles = contexts.flatMap((context) => context?.appArmorProfile?.type ?? []);
  const refused = (why: string) => ({ reason: 'AppArmor', message: `Cannot enforce AppArmor: ${why}` });
  // Where the kernel enforces it, the runtime gives its default profile to every container that asks for none.
  if (!appArmor && profiles.some((type) => type !== 'Unconfined')) {
    return refused('AppArmor is not enabled on the host');
  }
  if (profiles.includes('Localhost'))
    return refused('profiles of type Localhost are not supported by this node');
  return undefined;
}
