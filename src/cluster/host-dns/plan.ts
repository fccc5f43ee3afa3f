// How a machine's own resolver is told of the cluster's names, and how that is taken back: which file is to hold what. A
// pure function of the files' texts; host-dns.ts reads and writes them.

/** What of the machine decides how it is told. Paths are below the root of its files. */
export interface HostFiles {
  /** The text of etc/resolv.conf; undefined if there is none. */
  resolvConf: string | undefined;
  /** Where it leads, if it is a link. */
  resolvLink: string | undefined;
  /** The texts of files in etc/systemd/resolved.conf.d, by their names. */
  dropIns: ReadonlyMap<string, string>;
}

/** Of which stead the names are. */
export interface HostNames {
  /** Names the file in the drop-in directory. */
  instance: string;
  /** Marks what was written for it. */
  dataDirectory: string;
  /** `cluster.local` */
  domain: string;
}

export type HostDnsStep =
  | { kind: 'write-drop-in'; name: string; text: string }
  | { kind: 'remove-drop-in'; name: string }
  | { kind: 'write-resolv-conf'; text: string; keepBackup: boolean }
  | { kind: 'reload-resolved' };

/** Where systemd-resolved and its stub show themselves in a resolv.conf. */
const RESOLVED_LINK = /(^|\/)run\/systemd\/resolve\//;
const RESOLVED_STUB = /^\s*nameserver\s+127\.0\.0\.5[34]\s*$/m;
const ANY_MARKER = /^# stead dns install \((.*)\): begin$/m;

const begin = (data: string): string => `# stead dns install (${data}): begin`;
const end = (data: string): string => `# stead dns install (${data}): end`;
const dropInName = (instance: string): string => `stead-${instance}.conf`;

/**
 * What to do so that the machine asks the cluster's server for the cluster's names. Nothing if it does already.
 * @param server the server's address, on port 53.
 * @returns a sentence where it cannot be told.
 */
export function planInstall(files: HostFiles, names: HostNames, server: string): HostDnsStep[] | string {
  const { dropIns, resolvConf, resolvLink } = files;
  const { dataDirectory, domain, instance } = names;
  const other = othersOf(files, names);
  if (other !== undefined)
    return `The machine asks another stead (${other}) for ${domain}: take that back first, with \`stead dns uninstall --data-dir ${other}\`.`;
  if (resolvConf === undefined)
    return 'There is no /etc/resolv.conf: this machine resolves no names in a way that stead knows.';
  if (RESOLVED_LINK.test(resolvLink ?? '') || RESOLVED_STUB.test(resolvConf)) {
    const name = dropInName(instance);
    const text = `# Written by \`stead dns install\` for ${dataDirectory}; \`stead dns uninstall\` removes it.\n[Resolve]\nDNS=${server}\nDomains=~${domain}\n`;
    if (dropIns.get(name) === text) return [];
    return [{ kind: 'write-drop-in', name, text }, { kind: 'reload-resolved' }];
  }
  if (resolvLink !== undefined)
    return `/etc/resolv.conf is a link to ${resolvLink}, which another program writes: tell that one to ask ${server} for ${domain}.`;
  const before = withoutBlock(resolvConf, dataDirectory);
  // First: a resolver asks the next one only when this one says nothing. It passes on what it does not know.
  const text = `${begin(dataDirectory)}\nnameserver ${server}\n${end(dataDirectory)}\n${before}`;
  return text === resolvConf ? [] : [{ kind: 'write-resolv-conf', text, keepBackup: before === resolvConf }];
}

/** What to do so that nothing of it is left. What somebody else has written since stays. */
export function planUninstall(files: HostFiles, { dataDirectory, instance }: HostNames): HostDnsStep[] {
  const steps: HostDnsStep[] = [];
  const name = dropInName(instance);
  if (files.dropIns.has(name)) steps.push({ kind: 'remove-drop-in', name }, { kind: 'reload-resolved' });
  const { resolvConf = '', resolvLink } = files;
  const text = withoutBlock(resolvConf, dataDirectory);
  if (resolvLink === undefined && text !== resolvConf)
    steps.push({ kind: 'write-resolv-conf', text, keepBackup: false });
  return steps;
}

/** The data directory of another stead that the machine asks. */
function othersOf({ dropIns, resolvConf = '' }: HostFiles, names: HostNames): string | undefined {
  for (const [name, text] of dropIns) {
    if (name === dropInName(names.instance)) continue;
    const data = /^# Written by `stead dns install` for (.*); `stead/.exec(text)?.[1];
    if (data !== undefined) return data;
  }
  return ANY_MARKER.exec(withoutBlock(resolvConf, names.dataDirectory))?.[1];
}

function withoutBlock(text: string, dataDirectory: string): string {
  const from = text.indexOf(`${begin(dataDirectory)}\n`);
  const last = `${end(dataDirectory)}\n`;
  const to = text.indexOf(last, from);
  return from < 0 || to < 0 ? text : text.slice(0, from) + text.slice(to + last.length);
}
