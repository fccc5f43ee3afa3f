// What can be known to be in the way before anything is made: a start that cannot succeed leaves nothing behind.
import { errorText } from '../../base/error-text.ts';
import { parseIpRange } from '../../base/ip.ts';
import type { AddressPool } from '../../controllers/load-balancer/pool.ts';
import { runCommand } from '../../node/machine/command.ts';
import { sysctlAllowlist } from '../../node/pods/decide/sysctls.ts';
import type { ClusterConfig } from '../cluster.ts';
import { checkDataDirectory } from '../disk/data-directory.ts';
import { pathsOf } from '../disk/paths.ts';
import { rangesOf } from '../disk/service-cidr.ts';
import { readPolicy } from '../roles/audit.ts';
import { checkServiceRange } from '../roles/service-range.ts';
import { machineIPv6 } from './machine-addresses.ts';
import { checkMachine } from './machine-check.ts';
import { addressesOf, checkPort } from './port.ts';
import { UserError } from './user-error.ts';

/** @throws UserError with one sentence about the first thing that is in the way. */
export async function preflight(config: ClusterConfig): Promise<void> {
  const paths = pathsOf(config.dataDirectory);
  await checkDataDirectory(paths);
  await checkPort(config.port, addressesOf(config.bindAddress));
  if (config.runtime === 'containerd') {
    await checkMachine();
    const { serviceCidr } = config;
    const ipv6 = (await machineIPv6(runCommand)).length > 0;
    checkBalancers(config.balancerPool, await checkServiceRange(paths, { serviceCidr, ipv6 }));
  }
  if (config.audit) await readPolicy(config.audit.policyFile);
  checkSysctls(config.allowedUnsafeSysctls ?? []);
}

/** One address is not both a Service's in the cluster and another's from outside. */
function checkBalancers(pool: AddressPool | undefined, serviceCidr: string): void {
  if (pool?.type !== 'range') return;
  const isShared = rangesOf(serviceCidr).some((cidr) => {
    const range = parseIpRange(cidr);
    return range?.family === pool.family && range.first <= pool.last && pool.first <= range.last;
  });
  if (!isShared) return;
  throw new UserError(
    `--load-balancer-range ${pool.text} has addresses that Services have in the cluster (${serviceCidr}): give another.`,
  );
}

function checkSysctls(allowed: readonly string[]): void {
  try {
    sysctlAllowlist('', allowed);
  } catch (error) {
    throw new UserError(`--allowed-unsafe-sysctls: ${errorText(error)}.`);
  }
}
