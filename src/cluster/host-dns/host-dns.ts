// Tells the machine's own resolver of the cluster's names, and takes that back: reads and writes the files that plan.ts
// decides about.
import { mkdir, readdir, readFile, readlink, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { assertNever } from '../../base/assert-never.ts';
import { errorText } from '../../base/error-text.ts';
import type { RunCommand } from '../../base/machine-command.ts';
import type { Paths } from '../disk/paths.ts';
import { DOMAIN } from '../domain.ts';
import { UserError } from '../process/user-error.ts';
import { type HostDnsStep, type HostFiles, type HostNames, planInstall, planUninstall } from './plan.ts';

const DNS_PORT = ':53';
const RESOLV_CONF = 'etc/resolv.conf';
const BACKUP = 'etc/resolv.conf.before-stead';
const DROP_INS = 'etc/systemd/resolved.conf.d';

/** The machine whose resolver is told. */
export interface Host {
  /** The root of its files: `/`. */
  root: string;
  run: RunCommand;
}

/**
 * Idempotent.
 * @param server where the cluster's DNS server listens: `10.244.0.1:53`.
 * @returns whether there was anything to do.
 * @throws UserError where it cannot be done, in one sentence.
 */
export async function installHostDns(host: Host, paths: Paths, server: string): Promise<boolean> {
  if (!server.endsWith(DNS_PORT)) {
    throw new UserError(
      `DNS answers at ${server}, and a machine’s resolver asks at port 53 only: this is for a stead with real containers.`,
    );
  }
  const steps = planInstall(
    await readHostFiles(host.root),
    namesOf(paths),
    server.slice(0, -DNS_PORT.length),
  );
  if (typeof steps === 'string') throw new UserError(steps);
  return carryOut(host, steps);
}

/**
 * Idempotent; needs no stead that runs.
 * @returns whether there was anything to do.
 * @throws UserError where it cannot be done.
 */
export async function uninstallHostDns(host: Host, paths: Paths): Promise<boolean> {
  return carryOut(host, planUninstall(await readHostFiles(host.root), namesOf(paths)));
}

const namesOf = (paths: Paths): HostNames => ({
  instance: basename(paths.run),
  dataDirectory: paths.data,
  domain: DOMAIN,
});

async function readHostFiles(root: string): Promise<HostFiles> {
  const file = join(root, RESOLV_CONF);
  const dropIns = new Map<string, string>();
  for (const name of await readdir(join(root, DROP_INS)).catch(() => [])) {
    const text = await readFile(join(root, DROP_INS, name), 'utf8').catch(() => undefined);
    if (text !== undefined) dropIns.set(name, text);
  }
  return {
    resolvConf: await readFile(file, 'utf8').catch(() => undefined),
    resolvLink: await readlink(file).catch(() => undefined),
    dropIns,
  };
}

async function carryOut(host: Host, steps: readonly HostDnsStep[]): Promise<boolean> {
  for (const step of steps) {
    try {
      await execute(host, step);
    } catch (error) {
      const what =
        step.kind === 'reload-resolved' ? 'systemd-resolved cannot be reloaded' : 'It cannot be written';
      throw new UserError(`${what}: ${errorText(error)}. Are you root?`);
    }
  }
  return steps.length > 0;
}

async function execute({ root, run }: Host, step: HostDnsStep): Promise<void> {
  switch (step.kind) {
    case 'write-drop-in':
      await mkdir(join(root, DROP_INS), { recursive: true });
      return writeFile(join(root, DROP_INS, step.name), step.text);
    case 'remove-drop-in':
      await rm(join(root, DROP_INS, step.name), { force: true });
      // systemd does without it as well as with an empty one.
      return rmdir(join(root, DROP_INS)).catch(() => {});
    case 'write-resolv-conf': {
      const file = join(root, RESOLV_CONF);
      if (step.keepBackup) await writeFile(join(root, BACKUP), await readFile(file));
      // In its place: in a container it is a mount of its own, which nothing can be renamed to.
      await writeFile(file, step.text);
      const isTakenBack = (await readFile(join(root, BACKUP), 'utf8').catch(() => undefined)) === step.text;
      if (isTakenBack) await rm(join(root, BACKUP));
      return;
    }
    case 'reload-resolved':
      await run('systemctl', ['try-reload-or-restart', 'systemd-resolved.service']);
      return;
    default:
      return assertNever(step);
  }
}
