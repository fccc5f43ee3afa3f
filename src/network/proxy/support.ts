// Whether this machine's nft and kernel can have the rules of Services at all.
import { errorText } from '../../base/error-text.ts';
import { CommandError, type RunCommand } from '../../base/machine-command.ts';
import { merge, type Ruleset } from '../nftables/ruleset.ts';
import { replacing } from '../nftables/script.ts';
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

/** Has nft and the kernel look at the rules, and writes none. Returns why they refuse them, or undefined. */
export async function whyNoServices(run: RunCommand, options: FrameOptions): Promise<string | undefined> {
  const name = { table: `${options.bridge}-check`, owner: '' };
  const { commands } = replacing(name, merge([frame(options), SAMPLE]));
  return run('nft', ['--check', '--file', '-'], { input: `${commands.join('\n')}\n` }).then(
    () => undefined,
    (error: unknown) =>
      error instanceof CommandError && error.notInstalled
        ? 'nft is not installed (in Debian: nftables)'
        : (errorText(error).split('; ')[0] ?? ''),
  );
}
