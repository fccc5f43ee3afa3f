// Whether this machine's nft and kernel can have rules at all.
import { errorText } from '../../base/error-text.ts';
import { CommandError, type RunCommand } from '../../base/machine-command.ts';
import type { Ruleset } from './ruleset.ts';
import { replacing } from './script.ts';

/**
 * Has nft and the kernel look at the rules, and writes none. Returns why they refuse them, or undefined.
 * @param table a name that no table has.
 */
export async function whyRefused(
  run: RunCommand,
  table: string,
  rules: Ruleset,
): Promise<string | undefined> {
  const { commands } = replacing({ table, owner: '' }, rules);
  return run('nft', ['--check', '--file', '-'], { input: `${commands.join('\n')}\n` }).then(
    () => undefined,
    (error: unknown) =>
      error instanceof CommandError && error.notInstalled
        ? 'nft is not installed (in Debian: nftables)'
        : (errorText(error).split('; ')[0] ?? ''),
  );
}
