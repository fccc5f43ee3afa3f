// Reads what iptables-save prints: what of it is a pod network's, and which host ports of its pods somebody has taken away.
// Pure.
import type { PodNetwork } from '../../api/between/pod-network.ts';
import { networkName } from './config.ts';

/** The lines about our own chains, in order. */
export function ownRules(saved: string, { bridge }: Pick<PodNetwork, 'bridge'>): string {
  const ours = new RegExp(`^(-A|:).*\\bSTEAD-[A-Z]+-${bridge}( |$)`);
  return saved
    .split('\n')
    .filter((line) => ours.test(line))
    .join('\n');
}

/**
 * What brings back the host ports of running pods that portmap had written and that are gone, for iptables-restore;
 * undefined if none is. The plugin itself is asked only when a pod starts.
 * @param before what iptables-save printed when they were there.
 * @param now what it prints.
 */
export function lostHostPorts(before: string, now: string, network: PodNetwork): string | undefined {
  const lines = natOf(before);
  const there = new Set(natOf(now));
  const isOurs = (line: string): boolean => line.includes(`dnat name: \\"${networkName(network)}\\"`);
  const chains = new Set(lines.filter(isOurs).flatMap((line) => / -j (CNI-DN-\S+)/.exec(line)?.[1] ?? []));
  if (chains.size === 0) return undefined;
  const concerns = (line: string): boolean => {
    const [, name = ''] = /^(?::|-A )(\S+)/.exec(line) ?? [];
    if (chains.has(name)) return true;
    // The jumps to each pod's chain are in a chain that all pods of the machine share.
    if (name === 'CNI-HOSTPORT-DNAT' && !line.startsWith(':')) return isOurs(line);
    return name.startsWith('CNI-HOSTPORT-') || / -j CNI-HOSTPORT-(DNAT|MASQ)$/.test(line);
  };
  const declared = new Set([...there].flatMap((line) => /^:(\S+)/.exec(line)?.[1] ?? []));
  const lost = lines.filter((line) => {
    if (!concerns(line)) return false;
    const chain = /^:(\S+)/.exec(line)?.[1];
    // A chain that is declared once more is emptied.
    return chain === undefined ? !there.has(line) : !declared.has(chain);
  });
  return lost.length > 0 ? `*nat\n${lost.join('\n')}\nCOMMIT\n` : undefined;
}

/** The lines of the table nat. */
function natOf(saved: string): string[] {
  const lines = saved.split('\n');
  const from = lines.indexOf('*nat');
  return from < 0 ? [] : lines.slice(from + 1, lines.indexOf('COMMIT', from));
}
