// Whether this machine's nft and kernel can have the rules of Services at all.
import type { RunCommand } from '../../base/machine-command.ts';
import { whyRefused } from '../nftables/refusal.ts';
import { merge, type Ruleset } from '../nftables/ruleset.ts';
import { type FrameOptions, frame } from './frame.ts';

/** Rules as Services have them. */
const SAMPLE: Ruleset = {
  chains: new Map([
    [
      'sample',
      { rules: ['meta l4proto tcp dnat ip addr . port to numgen random mod 1 map { 0 : 10.0.0.1 . 80 }'] },
    ],
    ['sample-affinity', { rules: ['update @sample-clients { ip saddr }', 'fib saddr type local accept'] }],
  ]),
  sets: new Map([['sample-clients', { kind: 'set', type: 'ipv4_addr', dynamicSeconds: 60 }]]),
  elements: new Map(),
};

/** Returns why nft or the kernel refuse the rules of Services, or undefined. Writes none. */
export async function whyNoServices(run: RunCommand, options: FrameOptions): Promise<string | undefined> {
  return whyRefused(run, `${options.bridge}-check`, merge([frame(options), SAMPLE]));
}
