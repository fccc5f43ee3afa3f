// The test kit of the package, `stead/testing`: a whole cluster for somebody else's tests, in their process. Its API,
// controllers, scheduler and DNS are those that `stead up` runs; its nodes are simulated, so that it takes neither root
// nor containers. Tests of stead's own parts have test-control-plane.ts, on virtual time.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '../client/client.ts';
import { httpsClient } from '../client/https.ts';
import { parseKubeconfig } from '../client/kubeconfig.ts';
import { startCluster } from '../cluster/cluster.ts';
import { prepareDataDirectory } from '../cluster/disk/data-directory.ts';
import { pathsOf } from '../cluster/disk/paths.ts';
import { logTo } from '../cluster/process/log-writer.ts';
import { systemClock } from '../cluster/process/system-clock.ts';

export interface TestCluster {
  /** Where the API is: `https://127.0.0.1:PORT`. The port is a free one: many clusters run side by side. */
  readonly server: string;
  /**
   * The file of the administrator's kubeconfig: for kubectl and Go programs as `KUBECONFIG`, for
   * `@kubernetes/client-node` with `loadFromFile`.
   */
  readonly kubeconfig: string;
  /** stead's own client, as the administrator. Which kind is meant says a definition of `stead/resources/…`. */
  readonly client: Client;
  /** The names of the simulated nodes: `node-0`, `node-1`, … */
  readonly nodes: readonly string[];
  /** Ends the cluster and removes all that it has stored. A second call does nothing. */
  stop(): Promise<void>;
}

/**
 * Starts a cluster in this process. It answers, and its nodes are ready for pods, when the promise resolves: some half
 * a second later. Time is real. What its parts warn of goes to standard error.
 * @param options `nodes`: how many simulated nodes it has, 1 to 1,000.
 * @throws RangeError for a number of nodes that it cannot have; Error if the machine lets it listen or write nowhere.
 */
export async function startTestCluster({ nodes = 1 }: { nodes?: number } = {}): Promise<TestCluster> {
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > 1_000)
    throw new RangeError(`a test cluster has 1 to 1000 nodes, not ${nodes}`);
  const dataDirectory = await mkdtemp(join(tmpdir(), 'stead-testing-'));
  const paths = pathsOf(dataDirectory);
  const remove = async (): Promise<void> => {
    for (const directory of [paths.data, paths.run]) await rm(directory, { recursive: true, force: true });
  };
  try {
    await prepareDataDirectory(paths);
    const log = logTo((line) => void process.stderr.write(line), 'warn', systemClock.now);
    const cluster = await startCluster(
      {
        dataDirectory,
        port: 0,
        runtime: 'simulated',
        simulatedNodes: nodes,
        // A simulated node has no disk that could run short.
        pressure: { thresholds: [], transitionPeriodMs: 0 },
      },
      log,
    );
    let ended: Promise<void> | undefined;
    return {
      server: cluster.describe().server,
      kubeconfig: paths.kubeconfig,
      client: httpsClient(parseKubeconfig(await readFile(paths.kubeconfig, 'utf8'))),
      nodes: Array.from({ length: nodes }, (_, index) => `node-${index}`),
      stop() {
        ended ??= cluster.close().then(remove);
        return ended;
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
