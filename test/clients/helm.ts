// Which helm the tests use: one on the PATH, one built before, or, with STEAD_BUILD_CLIENTS=1, one built now with Go.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENTS } from './simulated-stead.ts';

/** The newest of helm 3; Go 1.26 builds it. */
const PACKAGE = 'helm.sh/helm/v3/cmd/helm@v3.22.0';

function works(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The command, or why there is none. */
export function findHelm(): { helm: string } | { why: string } {
  if (works('helm', 'version')) return { helm: 'helm' };
  const helm = join(CLIENTS, 'helm');
  if (existsSync(helm)) return { helm };
  if (!works('go', 'version')) return { why: 'there is no helm, and no Go to build it' };
  if (process.env.STEAD_BUILD_CLIENTS !== '1') {
    return { why: 'there is no helm; STEAD_BUILD_CLIENTS=1 builds it, which takes some minutes' };
  }
  process.stderr.write(`building ${PACKAGE}, which takes some minutes\n`);
  try {
    execFileSync('go', ['install', '-ldflags', '-s -w', PACKAGE], {
      env: { ...process.env, GOBIN: CLIENTS },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  } catch {
    return { why: `go install ${PACKAGE} failed` };
  }
  return { helm };
}
