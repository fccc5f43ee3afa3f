// The kubectl that Debian packages (1.20 in Debian 12): old enough to ask for OpenAPI in protobuf and to stream over
// SPDY only. It is taken out of its package, not installed.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLIENTS } from '../kit/simulated-stead.ts';

const PACKAGE = 'kubernetes-client';

/** The command, or why there is none. */
export function findDebianKubectl(): { kubectl: string } | { why: string } {
  const kubectl = join(CLIENTS, 'debian-kubectl');
  if (existsSync(kubectl)) return { kubectl };
  if (!existsSync('/usr/bin/apt-get')) return { why: 'this is not Debian' };
  const directory = mkdtempSync(join(tmpdir(), 'stead-kubectl-'));
  try {
    const options = { cwd: directory, stdio: 'ignore', timeout: 120_000 } as const;
    execFileSync('apt-get', ['-o', 'Acquire::http::Timeout=15', 'download', PACKAGE], options);
    const archive = readdirSync(directory).find((name) => name.endsWith('.deb')) ?? '';
    execFileSync('dpkg-deb', ['--extract', archive, 'files'], options);
    mkdirSync(CLIENTS, { recursive: true });
    copyFileSync(join(directory, 'files', 'usr', 'bin', 'kubectl'), kubectl);
    return { kubectl };
  } catch {
    return { why: `Debian's package ${PACKAGE} cannot be downloaded here` };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
