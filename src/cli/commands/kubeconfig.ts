// stead kubeconfig: prints the administrator's kubeconfig, or where it lies.
import { parse } from 'yaml';
import { pathsOf } from '../../cluster/disk/paths.ts';
import { readKubeconfig } from '../connection.ts';

interface KubeconfigOptions {
  dataDir: string;
  path: boolean;
  output: 'yaml' | 'json';
}

export async function kubeconfig(options: KubeconfigOptions): Promise<void> {
  const { kubeconfig: file } = pathsOf(options.dataDir);
  const text = await readKubeconfig(file);
  if (options.path) process.stdout.write(`${file}\n`);
  else
    process.stdout.write(options.output === 'json' ? `${JSON.stringify(parse(text), undefined, 2)}\n` : text);
}
