// Which stead this is, and which Kubernetes API it speaks.
import { readFileSync } from 'node:fs';

function packageVersion(): string {
  // From dist/src/cluster/ to the package's root.
  const text = readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version);
  throw new Error('package.json has no version');
}

export const VERSION = packageVersion();
