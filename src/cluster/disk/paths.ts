// Where everything lies on disk. What must last is below the data directory; sockets and pid files are below the
// run directory, which a reboot empties. Each data directory has a run directory of its own, so that several steads
// can live on one machine.
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

const SYSTEM_DATA_DIRECTORY = '/var/lib/stead';

export interface Paths {
  data: string;
  run: string;
  /** The embedded store. */
  store: string;
  pki: string;
  kubeconfig: string;
  log: string;
  /** Images of PersistentVolumes. */
  volumes: string;
  /** What pods have on this machine: projected volumes, empty directories, hosts files. */
  pods: string;
  podLogs: string;
  /** The format of the data directory. */
  layout: string;
  /** The pod network chosen at first start. */
  network: string;
  /** The range of Services' addresses, chosen at first start. */
  services: string;
  /** The name of the node, chosen at first start. */
  node: string;
  /** Who its server is, chosen at first start. */
  identity: string;
  /** The running process listens here; whoever can connect knows that one runs. */
  controlSocket: string;
  /** The node process listens here, and holds this lock as long as it lives. */
  nodeSocket: string;
  nodeLock: string;
}

/** `--data-dir`, or root's `/var/lib/stead`, or a directory of the user's own. */
export function defaultDataDirectory(): string {
  if (process.getuid?.() === 0) return SYSTEM_DATA_DIRECTORY;
  return join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'stead');
}

/** Of one data directory there is one stead, by whichever links it is named. */
export function pathsOf(dataDirectory: string): Paths {
  const data = realPath(resolve(dataDirectory));
  const instance =
    data === realPath(SYSTEM_DATA_DIRECTORY)
      ? 'default'
      : createHash('sha256').update(data).digest('hex').slice(0, 8);
  const user = process.getuid?.() ?? 0;
  // Socket paths may be 107 bytes long at most, which data directories in tests exceed: they are not put there.
  const run = user === 0 ? `/run/stead/${instance}` : join(tmpdir(), `stead-${user}-${instance}`);
  return {
    data,
    run,
    store: join(data, 'store'),
    pki: join(data, 'pki'),
    kubeconfig: join(data, 'kubeconfig'),
    log: join(data, 'stead.log'),
    volumes: join(data, 'volumes'),
    pods: join(data, 'pods'),
    podLogs: join(data, 'logs'),
    layout: join(data, 'layout.json'),
    network: join(data, 'network.json'),
    services: join(data, 'service-cidr.json'),
    node: join(data, 'node.json'),
    identity: join(data, 'server-identity'),
    controlSocket: join(run, 'control.sock'),
    nodeSocket: join(run, 'node.sock'),
    nodeLock: join(run, 'node.lock'),
  };
}

/** Without links, as far as the path exists and may be looked into. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(realPath(above), basename(path));
  }
}
