// The programs that Go builds for the tests: the newest kubectl and Helm that the Go module proxy has, a client-go program,
// an operator and a program for the inside of a pod. They are one module (go/), so that what they share is compiled once; what is built stays until the
// module, its sources or Go's version change.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENTS } from '../kit/simulated-stead.ts';

const SOURCES = join(import.meta.dirname, '..', '..', '..', 'test', 'clients', 'go');
const PACKAGES = ['./client', './operator', './inside', './kubectl', 'helm.sh/helm/v4/cmd/helm'];

/** Paths of the commands. */
export interface GoPrograms {
  client: string;
  operator: string;
  inside: string;
  kubectl: string;
  helm: string;
}

/** The programs, built if they are not there yet, or why there are none. Throws if they do not compile. */
export function findGoPrograms(): GoPrograms | { why: string } {
  const version = spawnSync('go', ['version'], { encoding: 'utf8' });
  if (version.status !== 0) return { why: 'there is no Go on this machine' };
  const directory = join(CLIENTS, `go-${keyOf(version.stdout)}`);
  const programs = {
    client: join(directory, 'client'),
    operator: join(directory, 'operator'),
    inside: join(directory, 'inside'),
    kubectl: join(directory, 'kubectl'),
    helm: join(directory, 'helm'),
  };
  if (existsSync(directory)) return programs;
  const why = whyNoModules();
  if (why) return { why };
  process.stderr.write(
    'building kubectl, Helm and three clients with Go: minutes the first time, then seconds\n',
  );
  build(directory);
  return programs;
}

/** What the programs depend on, in short. */
function keyOf(goVersion: string): string {
  const hash = createHash('sha256').update(goVersion);
  for (const name of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).sort()) {
    if (/\.(go|mod|sum)$/.test(name)) hash.update(name).update(readFileSync(join(SOURCES, name)));
  }
  return hash.digest('hex').slice(0, 12);
}

/** Fetches the modules; gives the reason if they cannot be had, or if this Go is too old for them. */
function whyNoModules(): string | undefined {
  const { status, stderr } = spawnSync('go', ['list', '-deps', ...PACKAGES], {
    cwd: SOURCES,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const complaint = stderr.split('\n').find((line) => line !== '' && !line.startsWith('go: downloading'));
  return status === 0 ? undefined : `Go's modules cannot be had: ${complaint}`;
}

function build(directory: string): void {
  const unfinished = `${directory}.unfinished`;
  mkdirSync(unfinished, { recursive: true });
  const flags = `-s -w -X k8s.io/component-base/version.gitVersion=${kubernetesVersion()}`;
  execFileSync('go', ['build', '-ldflags', flags, '-o', unfinished, ...PACKAGES], {
    cwd: SOURCES,
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  for (const name of readdirSync(CLIENTS)) {
    const old = join(CLIENTS, name);
    if (name.startsWith('go-') && old !== unfinished) rmSync(old, { recursive: true });
  }
  renameSync(unfinished, directory);
}

/** kubectl says its version when it is built with it: that of its module, v0.37.2 of Kubernetes 1.37.2. */
function kubernetesVersion(): string {
  const version = /k8s\.io\/kubectl v0\.(\S+)/.exec(readFileSync(join(SOURCES, 'go.mod'), 'utf8'))?.[1];
  return `v1.${version}`;
}
