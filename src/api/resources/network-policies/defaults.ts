// What a NetworkPolicy is where it says nothing, as far as it depends on more than one field (pkg/apis/networking/v1/
// defaults.go, SetDefaults_NetworkPolicy).
import type { NetworkPolicy } from '../../generated/types.ts';

/** Every policy is about what comes in, and one with rules of egress about what goes out, too. In place. */
export function setNetworkPolicyDefaults({ spec }: NetworkPolicy): void {
  if (!spec || spec.policyTypes?.length) return;
  spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'];
}
