// How a pod is called on the network: its hostname, its own /etc/hosts, and what its /etc/resolv.conf says
// (kubelet's kubelet_pods.go hostsFileContent and network/dns/dns.go). Pure.
import type { Pod } from '../../../api/generated/types.ts';

export interface ClusterDns {
  ip: string;
  /** `cluster.local` */
  domain: string;
}

export interface ResolvConf {
  servers: string[];
  searches: string[];
  options: string[];
}

/** The hostname: spec.hostnameOverride as it is; else spec.hostname or the pod's name, at most 63 characters. */
function hostnameOf(pod: Pod): string {
  if (pod.spec.hostnameOverride) return pod.spec.hostnameOverride;
  const name = pod.spec.hostname || (pod.metadata.name ?? '');
  return name.length <= 63 ? name : withoutTail(name.slice(0, 63));
}

/** A label of DNS ends in a letter or digit, also where a name was cut. */
function withoutTail(name: string): string {
  let end = name.length;
  while (end > 0 && '-.'.includes(name.charAt(end - 1))) end--;
  return name.slice(0, end);
}

/** `web-0.nginx.default.svc.cluster.local`, for a pod with a subdomain. */
function fqdnOf(pod: Pod, domain: string): string | undefined {
  const { hostnameOverride, subdomain } = pod.spec;
  return subdomain && !hostnameOverride
    ? `${hostnameOf(pod)}.${subdomain}.${pod.metadata.namespace}.svc.${domain}`
    : undefined;
}

/** What the kernel takes as a host name, in bytes. */
const MAX_HOSTNAME = 64;

/**
 * What `hostname` says in the pod: its hostname, or all of its name if it asks for that.
 * @throws Error when the whole name is longer than the kernel takes.
 */
export function kernelHostnameOf(pod: Pod, domain: string): string {
  const fqdn = pod.spec.setHostnameAsFQDN ? fqdnOf(pod, domain) : undefined;
  if (fqdn === undefined) return hostnameOf(pod);
  if (fqdn.length <= MAX_HOSTNAME) return fqdn;
  throw new Error(
    `failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (${MAX_HOSTNAME} characters is the max, ${fqdn.length} characters requested)`,
  );
}

/** The pod's own /etc/hosts. */
export function hostsFile(pod: Pod, podIps: readonly string[], domain: string): string {
  const lines = [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
  ];
  const fqdn = fqdnOf(pod, domain);
  for (const ip of podIps) lines.push([ip, ...(fqdn ? [fqdn] : []), hostnameOf(pod)].join('\t'));
  return `${lines.join('\n')}\n${aliases(pod)}`;
}

/** The same for a pod on the node's network: what the node's own file says, and the pod's aliases. */
export function hostNetworkHostsFile(pod: Pod, nodeFile: string): string {
  return `# Kubernetes-managed hosts file (host network).\n${nodeFile}${aliases(pod)}`;
}

function aliases(pod: Pod): string {
  const entries = pod.spec.hostAliases ?? [];
  if (entries.length === 0) return '';
  const lines = entries.map((entry) => `${entry.ip}\t${(entry.hostnames ?? []).join('\t')}`);
  return `\n# Entries added by HostAliases.\n${lines.join('\n')}\n`;
}

const MAX_SERVERS = 3;
const MAX_SEARCHES = 32;

/** What /etc/resolv.conf says, from dnsPolicy and dnsConfig; `host` is the machine's own. */
export function resolvConfOf(pod: Pod, cluster: ClusterDns | undefined, host: ResolvConf): ResolvConf {
  const { dnsConfig } = pod.spec;
  const base = baseOf(pod, cluster, host);
  const options = new Map(base.options.map((option) => [option.split(':')[0] ?? option, option]));
  for (const { name, value } of dnsConfig?.options ?? []) {
    if (name) options.set(name, value === undefined ? name : `${name}:${value}`);
  }
  const unique = (values: string[]): string[] => [...new Set(values)];
  return {
    servers: unique([...base.servers, ...(dnsConfig?.nameservers ?? [])]).slice(0, MAX_SERVERS),
    searches: unique([...base.searches, ...(dnsConfig?.searches ?? [])]).slice(0, MAX_SEARCHES),
    options: [...options.values()],
  };
}

function baseOf(pod: Pod, cluster: ClusterDns | undefined, host: ResolvConf): ResolvConf {
  const { dnsPolicy = 'ClusterFirst', hostNetwork } = pod.spec;
  if (dnsPolicy === 'None') return { servers: [], searches: [], options: [] };
  const clusterFirst =
    dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && hostNetwork !== true);
  if (!clusterFirst || cluster === undefined) return host;
  const { domain } = cluster;
  const own = [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain];
  return { servers: [cluster.ip], searches: [...own, ...host.searches], options: ['ndots:5'] };
}

/** Reads the text of a resolv.conf. */
export function parseResolvConf(text: string): ResolvConf {
  const result: ResolvConf = { servers: [], searches: [], options: [] };
  for (const line of text.split('\n')) {
    const [said = ''] = line.split(/[#;]/, 1);
    const [keyword, ...values] = said.trim().split(/\s+/);
    if (keyword === 'nameserver' && values[0]) result.servers.push(values[0]);
    else if (keyword === 'search') result.searches = values.filter((value) => value !== '.');
    else if (keyword === 'options') result.options.push(...values);
  }
  return result;
}
