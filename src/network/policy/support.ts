// Whether this machine's nft and kernel can have the rules of policies at all.
import { errorText } from '../../base/error-text.ts';
import type { RunCommand } from '../../base/machine-command.ts';
import { merge, type Ruleset } from '../nftables/ruleset.ts';
import { replacing } from '../nftables/script.ts';
import { frame, type PolicyOptions } from './frame.ts';

/** A rule as policies have them. */
const SAMPLE: Ruleset = {
  chains: new Map([
    ['sample', { rules: ['ip daddr . sctp dport @sample-port accept', 'tcp dport { 1-2, 4 } accept'] }],
  ]),
  sets: new Map([['sample-port', { kind: 'set', type: 'ipv4_addr . inet_service' }]]),
  elements: new Map(),
};

/** Has nft and the kernel look at the rules, and writes none. Returns why they refuse them, or undefined. */
export async function whyNoPolicies(run: RunCommand, options: PolicyOptions): Promise<string | undefined> {
  const name = { table: `${options.bridge}-check-policies`, owner: '' };
  const { commands } = replacing(name, merge([frame(options), SAMPLE]));
  return run('nft', ['--check', '--file', '-'], { input: `${commands.join('\n')}\n` }).then(
    () => undefined,
    (error: unknown) => errorText(error).split('; ')[0] ?? '',
  );
}
