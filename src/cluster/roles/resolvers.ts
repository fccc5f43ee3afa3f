// The machine's own DNS resolvers, to which the cluster's server passes on what it does not know.
import { readFile } from 'node:fs/promises';
import {
  nameserversOf,
  parseResolverAddress,
  type ResolverAddress,
} from '../../network/dns/resolver-address.ts';

const RESOLV_CONF = '/etc/resolv.conf';
/** Where systemd-resolved lists the resolvers that it asks itself. */
const RESOLVED_UPSTREAMS = '/run/systemd/resolve/resolv.conf';
/** systemd-resolved's own addresses: it asks those that it knows, of which this cluster may be one. */
const RESOLVED: readonly string[] = ['127.0.0.53', '127.0.0.54'];

/**
 * @param asked as `--dns-forward` names them; without any, the machine's own.
 * @param read gives a file's text.
 */
export async function resolversBeyond(
  asked: readonly string[] = [],
  read = (file: string): Promise<string> => readFile(file, 'utf8'),
): Promise<ResolverAddress[]> {
  if (asked.length > 0) return asked.flatMap((text) => parseResolverAddress(text) ?? []);
  const listed = async (file: string): Promise<ResolverAddress[]> =>
    nameserversOf(await read(file).catch(() => ''));
  const resolvers = await listed(RESOLV_CONF);
  if (!resolvers.some(({ address }) => RESOLVED.includes(address))) return resolvers;
  const behind = await listed(RESOLVED_UPSTREAMS);
  return behind.length > 0 ? behind : resolvers;
}
