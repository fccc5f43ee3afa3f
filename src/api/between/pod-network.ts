// The description of a machine's pod network: one bridge and one range of addresses. cluster/ chooses it once,
// remembers it, and hands it to the CNI configuration, the DNS server and the node agent.

export interface PodNetwork {
  /** The network interface that all pods of this machine hang on: `stead0`. */
  bridge: string;
  /** The pods' addresses, in CIDR notation: `10.244.0.0/20`. */
  cidr: string;
  /** The bridge's own address, the first of the range: the pods' default route and name server. */
  gateway: string;
}
