// stead dns install and stead dns uninstall: the machine's own programs find the cluster's names, or no longer.

import { pathsOf } from '../../cluster/disk/paths.ts';
import { installHostDns, uninstallHostDns } from '../../cluster/host-dns/host-dns.ts';
import { runCommand } from '../../node/machine/command.ts';
import { connect } from '../connection.ts';

const HOST = { root: '/', run: runCommand };

export async function installDns(options: { dataDir: string }): Promise<void> {
  const { info, paths } = await connect(options.dataDir);
  const changed = await installHostDns(HOST, paths, info.dns);
  say(
    changed
      ? `This machine asks ${info.dns} for cluster.local. \`stead dns uninstall\` takes it back.`
      : `This machine asks ${info.dns} for cluster.local already.`,
  );
}

export async function uninstallDns(options: { dataDir: string }): Promise<void> {
  const paths = pathsOf(options.dataDir);
  const changed = await uninstallHostDns(HOST, paths);
  say(changed ? 'This machine’s resolver is as it was.' : 'There is nothing to take back.');
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
