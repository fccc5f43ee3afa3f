// Which stead this is, and which Kubernetes API it speaks.
import { readFileSync } from 'node:fs';
import { packageFile } from '../../base/package-files.ts';

function packageVersion(): string {
  const text = readFileSync(packageFile('package.json'), 'utf8');
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version);
  throw new Error('package.json has no version');
}

export const VERSION = packageVersion();
