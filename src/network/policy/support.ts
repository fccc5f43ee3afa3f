// Whether this machine's nft and kernel can have the rules of policies at all.
import type { RunCommand } from '../../base/machine-command.ts';
import { whyRefused } from '../nftables/refusal.ts';
import { merge, type Ruleset } from '../nftables/ruleset.ts';
import { frame, type PolicyOptions } from './frame.ts';

/** A rule as policies have them. */
const SAMPLE: Ruleset = {
  chains: new Map([
    ['sample', { rules: ['ip daddr . sctp dport @sample-port accept', 'tcp dport { 1-2, 4 } accept'] }],
  ]),
  sets: new Map([['sample-port', { kind: 'set', type: 'ipv4_addr . inet_service' }]]),
  elements: new Map(),
};

/** Returns why nft or the kernel refuse the rules of policies, or undefined. Writes none. */
export async function whyNoPolicies(run: RunCommand, options: PolicyOptions): Promise<string | undefined> {
  return whyRefused(run, `${options.bridge}-check-policies`, merge([frame(options), SAMPLE]));
}
