// The description of a machine's pod network: one bridge, and a range of addresses of each family. cluster/ chooses it once,
// remembers it, and hands it to the CNI configuration, the DNS server and the node agent.

/** Addresses of one family that pods have. */
export interface PodRange {
  /** In CIDR notation: `10.244.0.0/20`. */
  cidr: string;
  /** The bridge's own address, the first of the range: the pods' default route, and where DNS and the API are theirs. */
  gateway: string;
}

/** The range of IPv4, which every pod network has, and what else there is. */
export interface PodNetwork extends PodRange {
  /** The network interface that all pods of this machine hang on: `stead0`. */
  bridge: string;
  /** The same of IPv6, on a machine that has it: pods have an address of each. */
  ipv6?: PodRange;
}

/** IPv4 first. */
export const podRangesOf = ({ cidr, gateway, ipv6 }: PodNetwork): PodRange[] => [
  { cidr, gateway },
  ...(ipv6 ? [ipv6] : []),
];
