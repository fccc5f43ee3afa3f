#!/usr/bin/env node
// The stead command: which commands there are and how errors reach the person who typed. What each does is in
// commands/, one file each, loaded when it is called.
import { isIP } from 'node:net';
import { Command, InvalidArgumentError, Option } from 'commander';
import { UnreachableError } from '../client/unreachable-error.ts';
import { defaultDataDirectory } from '../cluster/disk/paths.ts';
import { parseServiceCidr } from '../cluster/disk/service-cidr.ts';
import { LOG_LEVELS } from '../cluster/process/log-writer.ts';
import { UserError } from '../cluster/process/user-error.ts';
import { VERSION } from '../cluster/process/version.ts';
import { type AddressRange, parseAddressRange } from '../controllers/load-balancer/pool.ts';
import { parseResolverAddress } from '../network/dns/resolver-address.ts';
import { endWithReader } from './broken-pipe.ts';

const program = new Command('stead')
  .description('Kubernetes StatefulSets, for real, on one machine: real containers, no cluster to install.')
  .version(VERSION, '-V, --version')
  .showHelpAfterError('(stead --help lists the commands)');

const dataDirectory = (): Option =>
  new Option('--data-dir <dir>', 'where everything that must last is kept')
    .default(defaultDataDirectory())
    .argParser((text) => {
      if (text === '') throw new InvalidArgumentError('It must name a directory.');
      return text;
    });
const output = (): Option =>
  new Option('-o, --output <format>', 'how to print').choices(['text', 'json']).default('text');

/** A command with what all of them have: the data directory and --version. */
function command(parent: Command, usage: string, description: string): Command {
  return parent
    .command(usage)
    .description(description)
    .version(VERSION, '-V, --version')
    .addOption(dataDirectory());
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

function ipAddress(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError('It must be an IP address.');
  return text;
}

function serviceCidr(text: string): string {
  const range = parseServiceCidr(text);
  if (typeof range === 'string') return range;
  throw new InvalidArgumentError(`It ${range.why}.`);
}

function resolverAddresses(text: string): string[] {
  return text.split(',').map((address) => {
    if (!parseResolverAddress(address)) {
      throw new InvalidArgumentError(`${JSON.stringify(address)} is no IP address, with or without a port.`);
    }
    return address;
  });
}

function addressRange(text: string): AddressRange {
  const range = parseAddressRange(text);
  if (range) return range;
  throw new InvalidArgumentError('It must be a range such as 192.0.2.0/28 or 192.0.2.10-192.0.2.20.');
}

/** `90s`, `5m`, `1h` in seconds. */
function duration(text: string): number {
  const [, value, unit = ''] = /^(\d{1,6})(s|m|h)$/.exec(text) ?? [];
  const seconds = { s: 1, m: 60, h: 3600 }[unit];
  if (value === undefined || seconds === undefined) {
    throw new InvalidArgumentError('It must be a time such as 30s, 5m or 1h.');
  }
  return Number(value) * seconds;
}

command(program, 'up', 'start stead, and apply manifests')
  .option(
    '-f, --filename <file|url>',
    'a manifest to apply; - reads standard input; may be repeated',
    append,
    [],
  )
  .option('--port <n>', 'port of the API', wholeNumber(0, 65535), 6443)
  .option(
    '--bind-address <ip>',
    'where the API listens besides 127.0.0.1 and where pods reach it; 0.0.0.0: everywhere (default: nowhere)',
    ipAddress,
  )
  .option(
    '--service-cidr <range>',
    'the addresses of Services when the data directory is new: IPv4, or IPv4,IPv6 (default: a free one, 10.96.0.0/16 first, and one of IPv6 where the machine has it)',
    serviceCidr,
  )
  .option(
    '--load-balancer-range <range>',
    'what Services of type LoadBalancer are given, an address each: CIDR or FROM-TO (default: the machine’s own)',
    addressRange,
  )
  .option('--no-load-balancer', 'leave Services of type LoadBalancer to somebody else')
  .addOption(
    new Option('--runtime <name>', 'what runs the pods')
      .choices(['containerd', 'simulated'])
      .default('containerd'),
  )
  .option(
    '--simulated-nodes <n>',
    'how many nodes the simulated runtime has (default: 1)',
    wholeNumber(1, 1000),
  )
  .option(
    '--node-name <name>',
    'what the node is called when the data directory is new (default: as the machine)',
  )
  .option(
    '--allowed-unsafe-sysctls <names>',
    'kernel parameters that pods may set besides the safe ones, separated by commas; net.ipv4.tcp_* allows all of a kind',
    (text: string) => text.split(','),
    [],
  )
  .option(
    '--dns-forward <addresses>',
    'resolvers for names outside the cluster, separated by commas: 10.0.0.2, [fd00::2]:5353 (default: the machine’s)',
    resolverAddresses,
    [],
  )
  .option('--audit-policy-file <file>', 'which API requests are recorded: an audit.k8s.io/v1 Policy')
  .option('--audit-log-path <file>', 'where they are recorded, a JSON event a line')
  .option(
    '--audit-log-maxsize <mb>',
    'begin another log file at so many megabytes',
    wholeNumber(1, 1_000_000),
    100,
  )
  .option('--audit-log-maxbackup <n>', 'older log files to keep; 0 keeps all', wholeNumber(0, 1_000_000), 10)
  .option(
    '--eviction-hard <limits>',
    'when the disk counts as short, as kubelet has it: nodefs.available<10%,nodefs.inodesFree<5% (imagefs too)',
  )
  .option('--eviction-minimum-reclaim <amounts>', 'how much more must be free again: nodefs.available=500Mi')
  .option(
    '--eviction-pressure-transition-period <time>',
    'how long a node that was short of disk takes no pods after that: 30s, 5m',
    duration,
    30,
  )
  .option('--foreground', 'stay attached and log to the terminal', false)
  .addOption(
    new Option('--log-level <level>', 'the least that is logged; debug says every request and step')
      .choices(LOG_LEVELS)
      .default('info'),
  )
  .option('--wait', 'return when everything that was applied is ready', false)
  .action(async (options) => (await import('./commands/up.ts')).up(options));

command(program, 'down', 'stop all pods in order, then stead; data stays')
  .option('--purge', 'remove the data directory and everything else that stead made', false)
  .action(async (options) => (await import('./commands/down.ts')).down(options));

command(program, 'status', 'show sets, their pods, claims and names')
  .addOption(output())
  .action(async (options) => (await import('./commands/status.ts')).status(options));

command(program, 'why <kind/name>', 'say what an object waits for')
  .option('-n, --namespace <name>', 'its namespace', 'default')
  .addOption(output())
  .action(async (target, options) => (await import('./commands/why.ts')).why(target, options));

command(program, 'kubeconfig', 'print the kubeconfig of the administrator')
  .option('--path', 'print where it lies instead', false)
  .addOption(new Option('-o, --output <format>', 'how to print').choices(['yaml', 'json']).default('yaml'))
  .action(async (options) => (await import('./commands/kubeconfig.ts')).kubeconfig(options));

const image = program
  .command('image')
  .description('images that pods can use')
  .version(VERSION, '-V, --version');
command(image, 'load <file>', 'add the images of an archive (docker save, OCI; may be gzipped)')
  .addOption(output())
  .action(async (file, options) => (await import('./commands/image.ts')).loadImage(file, options));
command(image, 'list', 'list the images')
  .addOption(output())
  .action(async (options) => (await import('./commands/image.ts')).listImages(options));

const dns = program
  .command('dns')
  .description('the cluster’s names on this machine')
  .version(VERSION, '-V, --version');
command(dns, 'install', 'have this machine’s resolver ask the cluster for cluster.local').action(
  async (options) => (await import('./commands/dns.ts')).installDns(options),
);
command(dns, 'uninstall', 'take that back').action(async (options) =>
  (await import('./commands/dns.ts')).uninstallDns(options),
);

function append(value: string, before: string[]): string[] {
  return [...before, value];
}

/** How long a process that has failed may take to end by itself. */
const FAREWELL_MS = 2_000;

endWithReader();
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof UserError || error instanceof UnreachableError)
    process.stderr.write(`stead: ${error.message}\n`);
  else process.stderr.write(`stead: ${error instanceof Error ? error.stack : error}\n`);
  process.exitCode = 1;
  // After a failure something may not have been closed; it must not keep the process.
  setTimeout(() => process.exit(), FAREWELL_MS).unref();
}
