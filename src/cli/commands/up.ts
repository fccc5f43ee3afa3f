// stead up: starts stead in the background (or here, with --foreground), then applies what -f names, and with
// --wait follows it until it is ready. On a stead that already runs it only applies.
import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { StatusError } from '../../api/errors.ts';
import type { CancelTimer } from '../../base/clock.ts';
import { errorText } from '../../base/error-text.ts';
import type { ClusterConfig } from '../../cluster/cluster.ts';
import { makeDataDirectory } from '../../cluster/disk/data-directory.ts';
import { isNodeName } from '../../cluster/disk/node-name.ts';
import { pathsOf } from '../../cluster/disk/paths.ts';
import { type ProcessInfo, processInfo } from '../../cluster/process/control-socket.ts';
import type { LogLevel } from '../../cluster/process/log-writer.ts';
import { API_PROCESS_FLAGS } from '../../cluster/process/node-flags.ts';
import { preflight } from '../../cluster/process/preflight.ts';
import { systemClock, systemRandom } from '../../cluster/process/system-clock.ts';
import { UserError } from '../../cluster/process/user-error.ts';
import type { AuditOptions } from '../../cluster/roles/audit.ts';
import type { AddressPool, AddressRange } from '../../controllers/load-balancer/pool.ts';
import type { PressureRules } from '../../node/pressure/plan.ts';
import { DEFAULT_THRESHOLDS, parseThresholds, withMinimumReclaim } from '../../node/pressure/thresholds.ts';
import { type Applied, apply, displayName } from '../apply.ts';
import { outliveReader } from '../broken-pipe.ts';
import { connect } from '../connection.ts';
import { type Manifest, readManifests, withResources } from '../manifests.ts';
import { followUntilReady } from '../rollout.ts';

interface UpOptions {
  filename: string[];
  dataDir: string;
  port: number;
  bindAddress?: string;
  serviceCidr?: string;
  loadBalancer: boolean;
  loadBalancerRange?: AddressRange;
  runtime: 'containerd' | 'simulated';
  simulatedNodes?: number;
  nodeName?: string;
  allowedUnsafeSysctls: string[];
  dnsForward: string[];
  auditPolicyFile?: string;
  auditLogPath?: string;
  auditLogMaxsize: number;
  auditLogMaxbackup: number;
  foreground: boolean;
  logLevel: LogLevel;
  wait: boolean;
  evictionHard?: string;
  evictionMinimumReclaim?: string;
  evictionPressureTransitionPeriod: number;
}

export async function up(options: UpOptions): Promise<void> {
  const config = configOf(options);
  // Before anything is started: a manifest that cannot be read is the caller's mistake.
  const manifests = await readManifests(options.filename);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  if (options.foreground) {
    const { runForeground } = await import('../../cluster/process/foreground.ts');
    outliveReader();
    return runForeground(config, options.logLevel, () => applyAll(options, manifests, say));
  }
  const before = await processInfo(pathsOf(options.dataDir).controlSocket);
  const info = before ?? (await startInBackground(options, config));
  say(`${before ? 'stead already runs' : 'stead runs'}: ${info.server} (kubeconfig ${info.kubeconfig})`);
  await applyAll(options, manifests, say);
}

async function applyAll(
  options: UpOptions,
  manifests: Manifest[],
  say: (line: string) => void,
): Promise<void> {
  if (manifests.length === 0) return;
  const { client } = await connect(options.dataDir);
  const applied: Applied[] = [];
  // All of them, before any is applied.
  for (const manifest of withResources(manifests, await client.discover())) {
    try {
      const one = await apply(client, manifest);
      applied.push(one);
      say(`${displayName(one)} ${one.outcome}`);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      throw new UserError(`${manifest.source}: ${error.message}`);
    }
  }
  if (options.wait) await followUntilReady(client, systemClock, systemRandom, applied, say);
}

/** What the --audit- flags say together. Throws UserError when one is missing. */
function auditOf({ auditPolicyFile, auditLogPath, ...options }: UpOptions): AuditOptions | undefined {
  if (!auditPolicyFile && !auditLogPath) return undefined;
  if (!auditPolicyFile || !auditLogPath) {
    throw new UserError(
      '--audit-policy-file and --audit-log-path go together: which requests are recorded, and where.',
    );
  }
  return {
    policyFile: resolve(auditPolicyFile),
    logPath: resolve(auditLogPath),
    maxSizeMegabytes: options.auditLogMaxsize,
    maxBackups: options.auditLogMaxbackup,
  };
}

/** The same for the process that is started, whose working directory is another. */
function auditFlags(audit: AuditOptions | undefined): string[] {
  if (!audit) return [];
  return [
    ...['--audit-policy-file', audit.policyFile, '--audit-log-path', audit.logPath],
    ...['--audit-log-maxsize', `${audit.maxSizeMegabytes}`, '--audit-log-maxbackup', `${audit.maxBackups}`],
  ];
}

/** Throws UserError for options that do not go together. */
function balancerPoolOf({ loadBalancer, loadBalancerRange }: UpOptions): AddressPool {
  if (loadBalancer) return loadBalancerRange ?? { type: 'machine' };
  if (loadBalancerRange === undefined) return { type: 'none' };
  throw new UserError(
    '--load-balancer-range and --no-load-balancer contradict each other: give one of them.',
  );
}

/** The same for the process that is started. */
function balancerFlags(pool: AddressPool | undefined): string[] {
  if (pool?.type === 'none') return ['--no-load-balancer'];
  return pool?.type === 'range' ? ['--load-balancer-range', pool.text] : [];
}

/** When the machine counts as short of disk. Throws UserError for a threshold that is none. */
function pressureOf(options: UpOptions): PressureRules {
  try {
    const { evictionHard, evictionMinimumReclaim = '' } = options;
    const thresholds = evictionHard === undefined ? DEFAULT_THRESHOLDS : parseThresholds(evictionHard);
    return {
      thresholds: withMinimumReclaim(thresholds, evictionMinimumReclaim),
      transitionPeriodMs: options.evictionPressureTransitionPeriod * 1000,
    };
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(`${error.message}.`);
    throw error;
  }
}

/** The same for the process that is started. */
function pressureFlags(options: UpOptions): string[] {
  const { evictionHard, evictionMinimumReclaim, evictionPressureTransitionPeriod } = options;
  return [
    ...(evictionHard === undefined ? [] : ['--eviction-hard', evictionHard]),
    ...(evictionMinimumReclaim === undefined ? [] : ['--eviction-minimum-reclaim', evictionMinimumReclaim]),
    ...['--eviction-pressure-transition-period', `${evictionPressureTransitionPeriod}s`],
  ];
}

/** Throws UserError for options that do not go together. */
function configOf(options: UpOptions): ClusterConfig {
  const { nodeName, runtime, simulatedNodes } = options;
  if (simulatedNodes !== undefined && runtime !== 'simulated') {
    throw new UserError('--simulated-nodes is for simulated nodes: give --runtime simulated with it.');
  }
  if (nodeName !== undefined && runtime === 'simulated') {
    throw new UserError(
      '--node-name is for this machine; simulated nodes are called node-0, node-1 and so on.',
    );
  }
  if (nodeName !== undefined && !isNodeName(nodeName)) {
    throw new UserError(
      `--node-name ${JSON.stringify(nodeName)} is none that a node can have: at most 63 lower case letters, digits, '-' and '.'.`,
    );
  }
  return {
    dataDirectory: options.dataDir,
    port: options.port,
    bindAddress: options.bindAddress,
    serviceCidr: options.serviceCidr,
    balancerPool: balancerPoolOf(options),
    runtime,
    simulatedNodes: simulatedNodes ?? 1,
    nodeName,
    allowedUnsafeSysctls: options.allowedUnsafeSysctls,
    dnsForward: options.dnsForward,
    audit: auditOf(options),
    pressure: pressureOf(options),
  };
}

/** The same as flags, for the process that is started. */
function flagsOf(config: ClusterConfig): string[] {
  const { audit, bindAddress, dataDirectory, nodeName, port, runtime, serviceCidr, simulatedNodes } = config;
  const sysctls = config.allowedUnsafeSysctls ?? [];
  const resolvers = config.dnsForward ?? [];
  return [
    ...['--data-dir', dataDirectory, '--port', `${port}`, '--runtime', runtime],
    ...(runtime === 'simulated' ? ['--simulated-nodes', `${simulatedNodes}`] : []),
    ...(bindAddress === undefined ? [] : ['--bind-address', bindAddress]),
    ...balancerFlags(config.balancerPool),
    ...(serviceCidr === undefined ? [] : ['--service-cidr', serviceCidr]),
    ...(nodeName === undefined ? [] : ['--node-name', nodeName]),
    ...(sysctls.length === 0 ? [] : ['--allowed-unsafe-sysctls', sysctls.join(',')]),
    ...(resolvers.length === 0 ? [] : ['--dns-forward', resolvers.join(',')]),
    ...auditFlags(audit),
  ];
}

/** Longer than a start may take: who says nothing for so long hangs. */
const SILENCE_MS = 6 * 60_000;

/** Starts this program again, detached, and waits until it says that it is ready or why it cannot be. */
async function startInBackground(options: UpOptions, config: ClusterConfig): Promise<ProcessInfo> {
  await preflight(config);
  const paths = pathsOf(options.dataDir);
  await makeDataDirectory(paths);
  const log = await open(paths.log, 'a').catch((error: unknown) => {
    throw new UserError(`The log ${paths.log} cannot be written: ${errorText(error)}.`);
  });
  const [node, script = ''] = process.argv;
  const child = spawn(
    node ?? process.execPath,
    [
      ...API_PROCESS_FLAGS,
      ...[script, 'up', '--foreground', ...flagsOf({ ...config, dataDirectory: paths.data })],
      ...pressureFlags(options),
      ...['--log-level', options.logLevel],
    ],
    { detached: true, stdio: ['ignore', log.fd, log.fd, 'ipc'], cwd: '/' },
  );
  let cancel: CancelTimer = () => {};
  try {
    return await new Promise<ProcessInfo>((resolve, reject) => {
      cancel = systemClock.after(SILENCE_MS, () =>
        reject(
          new UserError(
            `stead (pid ${child.pid}) says nothing of how it starts: see ${paths.log}; \`stead down\` ends it.`,
          ),
        ),
      );
      child.once('message', (message: { ready: ProcessInfo } | { failed: string }) => {
        if ('ready' in message) resolve(message.ready);
        else reject(new UserError(message.failed));
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        reject(
          new UserError(`stead ended while it started (${signal ?? `exit code ${code}`}): see ${paths.log}.`),
        );
      });
    });
  } finally {
    cancel();
    if (child.connected) child.disconnect();
    child.unref();
    await log.close();
  }
}
