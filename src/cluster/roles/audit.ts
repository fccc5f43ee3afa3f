// The audit log of `stead up --audit-policy-file --audit-log-path`: the policy read, the file opened.
import { readFile } from 'node:fs/promises';
import { Auditor } from '../../apiserver/audit/auditor.ts';
import { AuditLogFile } from '../../apiserver/audit/log-file.ts';
import { type Policy, parsePolicy } from '../../apiserver/audit/policy.ts';
import type { Clock, Random } from '../../base/clock.ts';
import { errorText } from '../../base/error-text.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import { UserError } from '../process/user-error.ts';

const MEGABYTE = 1024 * 1024;

export interface AuditOptions {
  policyFile: string;
  logPath: string;
  /** A log file is closed when it is so large. */
  maxSizeMegabytes: number;
  /** Closed log files that are kept; 0: all. */
  maxBackups: number;
}

export interface AuditContext {
  clock: Clock;
  random: Random;
  log: Log;
  metrics: Metrics;
}

export interface Audit {
  auditor: Auditor;
  /** Writes what is still to be written. */
  close(): Promise<void>;
}

/** Throws UserError for a policy that cannot be used or a file that cannot be written. */
export async function openAudit(options: AuditOptions, context: AuditContext): Promise<Audit> {
  const policy = await readPolicy(options.policyFile);
  const { clock, random, metrics } = context;
  const file = await AuditLogFile.open(
    { path: options.logPath, maxBytes: options.maxSizeMegabytes * MEGABYTE, maxBackups: options.maxBackups },
    context,
  ).catch((error: unknown) => {
    throw new UserError(`The audit log ${options.logPath} cannot be written: ${errorText(error)}.`);
  });
  return { auditor: new Auditor(policy, file, clock, random, metrics), close: () => file.close() };
}

/** Throws UserError for a policy that cannot be used. */
export async function readPolicy(path: string): Promise<Policy> {
  try {
    return parsePolicy(await readFile(path, 'utf8'));
  } catch (error) {
    throw new UserError(`The audit policy ${path} cannot be used: ${errorText(error)}.`);
  }
}
