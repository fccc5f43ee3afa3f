// What the API server is called: the names and addresses that its certificate is valid for from the start. Where pods reach
// it, if that is not known yet, is added later (roles/api-for-pods.ts).
import { hostname } from 'node:os';
import { addressAt, parseIpRange } from '../../base/ip.ts';
import { machineAddresses } from '../process/machine-addresses.ts';
import { HOST, isWildcard } from '../process/port.ts';
import { rangesOf } from './service-cidr.ts';

/**
 * @param serviceCidr the addresses of Services, a range or two with a comma between; the first is the API's own.
 * @param domain the cluster's DNS domain.
 * @param bindAddress as `--bind-address` has it.
 * @param podAddress where pods reach it, if that is known.
 */
export function serverNames(
  serviceCidr: string,
  domain: string,
  bindAddress: string | undefined,
  podAddress: string | undefined,
): string[] {
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  const bound = bindAddress !== undefined && isWildcard(bindAddress) ? machineAddresses() : [bindAddress];
  const names = [
    ...['localhost', HOST, '::1', hostname()],
    ...[...service, `kubernetes.default.svc.${domain}`, firstServiceAddress(serviceCidr)],
    ...bound,
    podAddress,
  ];
  return [...new Set(names.filter((name) => name !== undefined))];
}

/** The address of the Service `kubernetes`: the first of the first range (pkg/controlplane/apiserver/options ServiceIPRange). */
export function firstServiceAddress(serviceCidr: string): string {
  const range = parseIpRange(rangesOf(serviceCidr)[0] ?? '');
  if (!range) throw new Error(`"${serviceCidr}" is no range of addresses`);
  return addressAt(range, 1);
}
