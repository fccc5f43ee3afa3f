// stead kubeconfig: prints the administrator's kubeconfig, or where it lies.
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { pathsOf } from '../../cluster/paths.ts';
import { UserError } from '../../cluster/user-error.ts';

interface KubeconfigOptions {
  dataDir: string;
  path: boolean;
  output: 'yaml' | 'json';
}

export async function kubeconfig(options: KubeconfigOptions): Promise<void> {
  const { kubeconfig: file } = pathsOf(options.dataDir);
  const text = await readFile(file, 'utf8').catch(() => {
    throw new UserError(`There is no kubeconfig at ${file} yet: start stead with \`stead up\`.`);
  });
  if (options.path) process.stdout.write(`${file}\n`);
  else
    process.stdout.write(options.output === 'json' ? `${JSON.stringify(parse(text), undefined, 2)}\n` : text);
}
