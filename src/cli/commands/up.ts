// stead up: starts stead in the background (or here, with --foreground), then applies what -f names, and with
// --wait follows it until it is ready. On a stead that already runs it only applies.
import { spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { StatusError } from '../../api/errors.ts';
import type { AuditOptions } from '../../cluster/audit.ts';
import { type ProcessInfo, processInfo } from '../../cluster/control-socket.ts';
import { NODE_FLAGS } from '../../cluster/node-flags.ts';
import { pathsOf } from '../../cluster/paths.ts';
import { systemClock, systemRandom } from '../../cluster/system-clock.ts';
import { UserError } from '../../cluster/user-error.ts';
import { type Applied, apply, displayName } from '../apply.ts';
import { connect } from '../connection.ts';
import { type Manifest, readManifests } from '../manifests.ts';
import { followUntilReady } from '../rollout.ts';

interface UpOptions {
  filename: string[];
  dataDir: string;
  port: number;
  runtime: 'containerd' | 'simulated';
  simulatedNodes: number;
  auditPolicyFile?: string;
  auditLogPath?: string;
  auditLogMaxsize: number;
  auditLogMaxbackup: number;
  foreground: boolean;
  wait: boolean;
}

export async function up(options: UpOptions): Promise<void> {
  const audit = auditOf(options);
  // Before anything is started: a manifest that cannot be read is the caller's mistake.
  const manifests = await readManifests(options.filename);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  if (options.foreground) {
    const { runForeground } = await import('../../cluster/foreground.ts');
    return runForeground({ ...configOf(options), audit }, () => applyAll(options, manifests, say));
  }
  const before = await processInfo(pathsOf(options.dataDir).controlSocket);
  const info = before ?? (await startInBackground(options));
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
  for (const manifest of manifests) {
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

function configOf(options: UpOptions) {
  return {
    dataDirectory: options.dataDir,
    port: options.port,
    runtime: options.runtime,
    simulatedNodes: options.simulatedNodes,
  };
}

/** Starts this program again, detached, and waits until it says that it is ready or why it cannot be. */
async function startInBackground(options: UpOptions): Promise<ProcessInfo> {
  const paths = pathsOf(options.dataDir);
  await mkdir(paths.data, { recursive: true }).catch(() => {
    throw new UserError(
      `The data directory ${paths.data} cannot be made: run as root, or give a --data-dir that you may write to.`,
    );
  });
  const log = await open(paths.log, 'a');
  const [node, script = ''] = process.argv;
  const child = spawn(
    node ?? process.execPath,
    [
      ...NODE_FLAGS,
      ...[script, 'up', '--foreground', '--data-dir', options.dataDir, '--port', `${options.port}`],
      ...['--runtime', options.runtime, '--simulated-nodes', `${options.simulatedNodes}`],
      ...auditFlags(auditOf(options)),
    ],
    { detached: true, stdio: ['ignore', log.fd, log.fd, 'ipc'], cwd: '/' },
  );
  try {
    return await new Promise<ProcessInfo>((resolve, reject) => {
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
    if (child.connected) child.disconnect();
    child.unref();
    await log.close();
  }
}
