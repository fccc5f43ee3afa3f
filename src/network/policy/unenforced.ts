// On a machine that cannot enforce policies, each of them says so: a policy has no status, so that it is an event.
import type { NetworkPolicy } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { networkPolicies } from '../../api/resources/network-policies/definition.ts';
import type { EventRecorder } from '../../client/events.ts';
import type { Informers } from '../../client/informers.ts';

/** @param why what keeps this machine from it, as a clause. Returns what ends it. */
export function tellUnenforced(informers: Informers, recorder: EventRecorder, why: string): () => void {
  const tell = (policy: Stored<NetworkPolicy>): void =>
    recorder.event(
      policy,
      'Warning',
      'NotEnforced',
      `This node does not keep traffic from its pods as the policy says: ${why}`,
    );
  return informers.of(networkPolicies).subscribe({ added: tell });
}
