// From a fresh clone to a running StatefulSet: sets up, starts stead in the background, applies examples/nginx.yaml,
// shows it come up, and says what to try next. Run again it changes nothing and ends with the same picture.
import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './dist.mjs';
import { setUp, step } from './setup.mjs';

const MANIFEST = join('examples', 'nginx.yaml');
const IMAGE = 'k8s.gcr.io/nginx-slim:0.8';
const CLI = join(root, 'dist', 'bin', 'stead.js');
const KUBECTL = ['/usr/bin/kubectl', '/usr/local/bin/kubectl'];
const REGISTRY_TIMEOUT_MS = 5_000;

/** Runs the stead command; gives what it printed. With `show` it prints to the terminal as it goes. */
function stead(args, { show = false } = {}) {
  return new Promise((resolve, reject) => {
    const stdio = ['ignore', show ? 'inherit' : 'pipe', 'inherit'];
    const child = spawn(process.execPath, [CLI, ...args], { cwd: root, stdio });
    let text = '';
    child.stdout?.on('data', (chunk) => {
      text += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(text) : reject(new Error(`stead ${args[0]} failed`)),
    );
  });
}

/** Whether the image's registry answers; a closed network says no at once. */
async function registryAnswers() {
  try {
    await fetch(`https://${IMAGE.split('/')[0]}/v2/`, { signal: AbortSignal.timeout(REGISTRY_TIMEOUT_MS) });
    return true;
  } catch {
    return false;
  }
}

async function ensureImage() {
  const images = JSON.parse(await stead(['image', 'list', '-o', 'json']));
  if (images.some(({ names }) => names.includes(IMAGE))) return;
  if (await registryAnswers()) return;
  process.stdout.write(
    `No registry can be reached for ${IMAGE}: building a stand-in under that name from Debian's nginx.\n`,
  );
  const archive = join(tmpdir(), `stead-nginx-slim-${process.pid}.tar`);
  try {
    await step('building the stand-in image', process.execPath, [
      join('images', 'build.mjs'),
      'nginx-slim',
      archive,
    ]);
    await stead(['image', 'load', archive], { show: true });
  } finally {
    rmSync(archive, { force: true });
  }
}

async function main() {
  const why = await setUp();
  if (why) throw new Error(`Real containers cannot run here: ${why}.`);
  if (process.getuid() !== 0) {
    throw new Error(
      'Real containers take root: run `sudo npm start`, or try `stead up --runtime simulated`.',
    );
  }
  await stead(['up'], { show: true });
  await ensureImage();
  await stead(['up', '-f', MANIFEST, '--wait'], { show: true });
  process.stdout.write('\n');
  await stead(['status'], { show: true });
  const { kubeconfig, dns } = JSON.parse(await stead(['status', '-o', 'json']));
  const [address] = dns.split(':');
  if (!KUBECTL.some(existsSync)) {
    process.stdout.write(`
There is no kubectl on this machine, and Debian's (package kubernetes-client) could not be installed: get one from your
package manager for what follows.
`);
  }
  process.stdout.write(`
Point kubectl at it:

  export KUBECONFIG=${kubeconfig}

Three things to try:

  1. A pod that dies comes back as itself: kubectl delete pod web-1; kubectl get pods -o wide --watch
  2. Its name follows it: dig +short @${address} web-1.nginx.default.svc.cluster.local
  3. Up in order, down in reverse: kubectl scale statefulset web --replicas=5; kubectl scale statefulset web --replicas=1

Stop it with \`npx stead down\`; its data stays. \`npx stead down --purge\` removes everything.
`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
