// Sets up a fresh clone, a step at a time, each of which says what it does and does nothing the second time: npm
// packages, the build, and the Debian packages that real containers need. Runs before anything is installed, so it
// uses nothing but Node.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isBuilt, root } from './dist.mjs';

/** Debian's packages that running real containers takes, and a file of each that says it is there. */
const RUNTIME_PACKAGES = {
  containerd: ['/usr/bin/containerd', '/usr/local/bin/containerd'],
  runc: ['/usr/sbin/runc', '/usr/bin/runc', '/usr/local/sbin/runc'],
  'containernetworking-plugins': ['/usr/lib/cni/bridge', '/opt/cni/bin/bridge'],
  iproute2: ['/sbin/ip', '/usr/sbin/ip'],
  iptables: ['/sbin/iptables', '/usr/sbin/iptables'],
  nftables: ['/sbin/nft', '/usr/sbin/nft'],
  conntrack: ['/sbin/conntrack', '/usr/sbin/conntrack'],
  xfsprogs: ['/sbin/mkfs.xfs', '/usr/sbin/mkfs.xfs'],
  mount: ['/usr/bin/mount', '/bin/mount'],
};
/** What building the demo's and the tests' images takes. */
const IMAGE_PACKAGES = { mmdebstrap: ['/usr/bin/mmdebstrap'] };
/** What using the demo takes, and the tests that speak to stead as its users do. */
const CLIENT_PACKAGES = { 'kubernetes-client': ['/usr/bin/kubectl', '/usr/local/bin/kubectl'] };
/** What some tests make containers of, or ask DNS with. */
const TEST_PACKAGES = {
  'busybox-static': ['/bin/busybox', '/usr/bin/busybox'],
  'bind9-dnsutils': ['/usr/bin/dig'],
  'musl-tools': ['/usr/bin/musl-gcc'],
};

/** Runs one step with a line before it, a sign of life while it takes long, and its output if it fails. */
export function step(title, command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const started = Date.now();
    const output = [];
    process.stdout.write(`• ${title}\n`);
    const child = spawn(command, args, { cwd: root, ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const life = setInterval(() => {
      const last = Buffer.concat(output).toString().trimEnd().split('\n').at(-1)?.slice(0, 90) ?? '';
      process.stdout.write(`    … ${Math.round((Date.now() - started) / 1000)} s  ${last}\n`);
    }, 5_000);
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    const end = (problem) => {
      clearInterval(life);
      if (!problem) return resolve();
      reject(new Error(`${title}: ${problem}\n${Buffer.concat(output)}`));
    };
    child.once('error', (error) => end(error.message));
    child.once('close', (code) => end(code === 0 ? undefined : `${command} exited with ${code}`));
  });
}

export async function ensureNpmPackages() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  const lock = join(root, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  await step('installing npm packages', 'npm', ['ci', '--no-audit', '--no-fund']);
}

export async function ensureBuild() {
  if (!isBuilt()) await step('building', process.execPath, [join('scripts', 'build.mjs')]);
}

const missingOf = (wanted) => Object.keys(wanted).filter((name) => !wanted[name].some(existsSync));

/** Installs what is missing of the packages. Returns why it cannot, or undefined. */
export async function ensureSystemPackages(wanted) {
  const missing = missingOf(wanted);
  if (missing.length === 0) return undefined;
  if (process.getuid() !== 0) return `not root, and these packages are missing: ${missing.join(', ')}`;
  if (spawnSync('apt-get', ['--version']).status !== 0) {
    return `no apt-get on this machine; install these yourself: ${missing.join(', ')}`;
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await step('refreshing the package lists', 'apt-get', ['update', '-q'], { env });
  await step(
    `installing ${missing.join(', ')}`,
    'apt-get',
    ['install', '-y', '-q', '--no-install-recommends', ...missing],
    { env },
  );
  return undefined;
}

/**
 * Everything `npm start` and `npm test` need. Returns why real containers cannot be run, or undefined.
 * @param tests whether tests are to be run, which takes more.
 */
export async function setUp({ tests = false } = {}) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Error(`stead needs Node 20.19 or newer; this is ${process.version}`);
  }
  await ensureNpmPackages();
  await ensureBuild();
  if (process.platform !== 'linux') return 'not Linux';
  const extras = { ...CLIENT_PACKAGES, ...(tests ? TEST_PACKAGES : {}) };
  const needed = { ...RUNTIME_PACKAGES, ...IMAGE_PACKAGES };
  try {
    const why = await ensureSystemPackages({ ...needed, ...extras });
    if (missingOf(needed).length > 0) return why;
    if (why) process.stdout.write(`Going on without ${missingOf(extras).join(', ')}: ${why}\n`);
  } catch (error) {
    // Containers do without kubectl; whoever wants it is told.
    if (missingOf(needed).length > 0) throw error;
    process.stdout.write(`Going on without ${missingOf(extras).join(', ')}: ${error.message}\n`);
  }
  return undefined;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const why = await setUp();
    process.stdout.write(why ? `Set up, but real containers cannot run here: ${why}\n` : 'Set up.\n');
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
