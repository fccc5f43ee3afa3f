// stead kubeconfig: prints the administrator's kubeconfig, or where it lies.
import { readFile } from 'node:fs/promises';
import { pathsOf } from '../../cluster/paths.ts';
import { UserError } from '../../cluster/user-error.ts';

export async function kubeconfig(options: { dataDir: string; path: boolean }): Promise<void> {
  const { kubeconfig: file } = pathsOf(options.dataDir);
  const text = await readFile(file, 'utf8').catch(() => {
    throw new UserError(`There is no kubeconfig at ${file} yet: start stead with \`stead up\`.`);
  });
  process.stdout.write(options.path ? `${file}\n` : text);
}
