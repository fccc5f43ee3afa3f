// One stead for one test file, through its front door: the command, kubectl, and its DNS server. Its data lies in a
// directory of its own, its port is a free one, and `purge` leaves nothing behind, which it checks.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathsOf } from '../../src/cluster/disk/paths.ts';
import { ensureImage } from './images.ts';
import { type Ran, run } from './run.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const CLI = join(root, 'dist', 'bin', 'stead.js');
export const NGINX_MANIFEST = join(root, 'examples', 'nginx.yaml');

/** Why tests with real containers cannot run on this machine; false if they can. For node:test's `skip`. */
export const noContainers: string | false =
  process.env.STEAD_TEST_NO_CONTAINERS ||
  (process.getuid?.() === 0 ? false : 'real containers take root') ||
  (existsSync('/usr/bin/kubectl') || existsSync('/usr/local/bin/kubectl') ? false : 'there is no kubectl');

/** How long a condition may take before the test gives up: far more than it ever needs. */
const PATIENCE_MS = 120_000;

/** Asks until the answer satisfies; gives it. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  satisfies: (answer: T) => boolean,
): Promise<T> {
  const giveUpAtMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (satisfies(answer)) return answer;
    if (Date.now() > giveUpAtMs)
      assert.fail(`${what} did not come true; last seen: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export class TestStead {
  readonly dataDirectory: string;
  readonly kubeconfig: string;
  dns = '';
  pid = 0;

  constructor(parent: string = tmpdir()) {
    this.dataDirectory = mkdtempSync(join(parent, 'stead-test-'));
    this.kubeconfig = join(this.dataDirectory, 'kubeconfig');
  }

  /** Starts it, with the images that the tests' manifests name. */
  static start(...images: string[]): Promise<TestStead> {
    return TestStead.startIn(tmpdir(), [], ...images);
  }

  /** The same with its data below a directory, and with more arguments. */
  static async startIn(parent: string, args: readonly string[], ...images: string[]): Promise<TestStead> {
    const stead = new TestStead(parent);
    try {
      await stead.up(...args);
      for (const image of images) await stead.must('image', 'load', await ensureImage(image));
      return stead;
    } catch (error) {
      await stead.purge();
      throw error;
    }
  }

  async up(...args: string[]): Promise<void> {
    await this.must('up', '--port', '0', ...args);
    const info: { dns: string; pid: number } = JSON.parse(await this.must('status', '-o', 'json'));
    this.dns = info.dns;
    this.pid = info.pid;
  }

  /** The process of this stead's node; 0 when there is none. */
  get nodePid(): number {
    const lock = pathsOf(this.dataDirectory).nodeLock;
    return existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0;
  }

  /** Kills both processes of stead, as a machine that runs out of memory may; containers go on. */
  kill(): void {
    const { nodePid } = this;
    assert.notEqual(nodePid, 0, 'there is no node process');
    for (const pid of [this.pid, nodePid]) process.kill(pid, 'SIGKILL');
  }

  /** Runs a stead command on this data directory. */
  run(command: string, ...args: string[]): Promise<Ran> {
    const words =
      command === 'image'
        ? [command, args[0] ?? '', '--data-dir', this.dataDirectory, ...args.slice(1)]
        : [command, '--data-dir', this.dataDirectory, ...args];
    return run(process.execPath, [CLI, ...words]);
  }

  async must(command: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, ...args);
    assert.equal(code, 0, `stead ${command} ${args.join(' ')}: ${stderr}${stdout}${this.#lastLog()}`);
    return stdout;
  }

  /** kubectl with this stead's kubeconfig, whatever becomes of it. */
  tryKubectl(args: readonly string[], input?: string): Promise<Ran> {
    return run('kubectl', args, {
      env: { KUBECONFIG: this.kubeconfig },
      ...(input === undefined ? {} : { input }),
    });
  }

  async kubectl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.tryKubectl(args);
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  }

  /** `kubectl apply` of a manifest's text. */
  async apply(manifest: string): Promise<string> {
    const { code, stdout, stderr } = await this.tryKubectl(['apply', '-f', '-'], manifest);
    assert.equal(code, 0, `kubectl apply: ${stderr}`);
    return stdout;
  }

  /** One field of an object, by kubectl's jsonpath; empty if the object is not there. */
  async field(object: string, path: string): Promise<string> {
    const { stdout } = await this.tryKubectl(['get', object, '-o', `jsonpath={${path}}`]);
    return stdout;
  }

  /** Waits until a StatefulSet has this many pods and no more, all ready and of its newest revision. */
  async ready(set: string, replicas: number): Promise<void> {
    await this.kubectl('rollout', 'status', `statefulset/${set}`, '--timeout=120s');
    await eventually(
      `${set} has ${replicas} pods, all ready`,
      () => this.field(`sts/${set}`, '.status.replicas}/{.status.readyReplicas'),
      (counts) => counts === `${replicas}/${replicas}`,
    );
  }

  async exec(pod: string, ...command: string[]): Promise<string> {
    return this.kubectl('exec', pod, '--', ...command);
  }

  resolver(): Resolver {
    const resolver = new Resolver({ timeout: 2_000, tries: 2 });
    resolver.setServers([this.dns]);
    return resolver;
  }

  async addresses(name: string): Promise<string[]> {
    return (
      await this.resolver()
        .resolve4(name)
        .catch(() => [])
    ).sort();
  }

  /** kubectl get --watch as events, until `stop` is called. */
  watch(resource: string): { events: WatchedEvent[]; stop(): void } {
    const child = spawn('kubectl', ['get', resource, '--watch', '--output-watch-events', '-o', 'json'], {
      env: { ...process.env, KUBECONFIG: this.kubeconfig },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const events: WatchedEvent[] = [];
    let pending = '';
    child.stdout.on('data', (chunk) => {
      pending += chunk;
      const lines = pending.split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) if (line) events.push(JSON.parse(line));
    });
    return { events, stop: () => void child.kill() };
  }

  /** Stops it, removes all it made, and checks that nothing of it is left on the machine. */
  async purge(): Promise<void> {
    const { code, stderr } = await this.run('down', '--purge');
    assert.equal(code, 0, stderr);
    assert.deepEqual(this.remains(), []);
  }

  /** What of this stead can be found on the machine. */
  remains(): string[] {
    const left: string[] = [];
    if (existsSync(this.dataDirectory)) left.push(`directory ${this.dataDirectory}`);
    for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
      if (line.includes(this.dataDirectory)) left.push(`mount ${line}`);
    }
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const command = commandLine(pid);
      if (command.includes(this.dataDirectory)) left.push(`process ${pid} ${command}`);
    }
    for (const device of readdirSync('/sys/block').filter((name) => name.startsWith('loop'))) {
      const file = join('/sys/block', device, 'loop', 'backing_file');
      if (existsSync(file) && readFileSync(file, 'utf8').includes(this.dataDirectory))
        left.push(`loop device ${device}`);
    }
    const address = this.dns.split(':')[0];
    for (const [name, addresses] of Object.entries(networkInterfaces())) {
      if (address && address !== '127.0.0.1' && addresses?.some((one) => one.address === address)) {
        left.push(`interface ${name}`);
      }
    }
    return left;
  }

  #lastLog(): string {
    const file = join(this.dataDirectory, 'stead.log');
    return existsSync(file) ? `\n${readFileSync(file, 'utf8').split('\n').slice(-20).join('\n')}` : '';
  }
}

export interface WatchedEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: {
    kind: string;
    metadata: { name: string; uid: string; resourceVersion: string; deletionTimestamp?: string };
    status?: { phase?: string; conditions?: Array<{ type: string; status: string }> };
  };
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
