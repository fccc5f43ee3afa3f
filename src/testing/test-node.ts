// One node for the tests of its agent: on a simulated runtime, against the real API server, on virtual time. What is
// asked of the runtime can be read; how its containers take a stop signal can be told.

import { isReady } from '../api/conditions.ts';
import type { ObjectMeta, Pod, PodSpec } from '../api/generated/types.ts';
import type { Stored } from '../api/objects.ts';
import { namespaces } from '../api/resources/namespaces/definition.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { sleep } from '../base/clock.ts';
import { createNodeAgent, type NodeAgentOptions } from '../node/agent.ts';
import type { ContainerSpec, SandboxSpec } from '../node/runtime.ts';
import { type SimulatedRuntime, simulatedRuntime } from '../node/simulated/runtime.ts';
import {
  simulatedChecks,
  simulatedFacts,
  simulatedFiles,
  simulatedVolumes,
} from '../node/simulated/surroundings.ts';
import { startTestControlPlane, type TestControlPlane } from './test-control-plane.ts';

export interface TestNode {
  cluster: TestControlPlane;
  runtime: SimulatedRuntime;
  /** Sandboxes and containers as the runtime was told to make them. */
  sandboxes: SandboxSpec[];
  created: ContainerSpec[];
  /** `signal web 30` for each stop, `end web` for each end, with the time: `+6 signal web 24`, in seconds. */
  happened: string[];
  /** Container name → how many seconds it takes to end after its signal; KILL is at the end of its grace period. */
  slowness: Map<string, number>;
  /** From here on `happened` counts its seconds. */
  mark(): void;
  startAgent(options?: Partial<NodeAgentOptions>): { stop(): Promise<void> };
  createPod(name: string, spec?: Partial<PodSpec>, metadata?: Partial<ObjectMeta>): Promise<Stored<Pod>>;
  get(name: string): Promise<Stored<Pod>>;
  exists(name: string): Promise<boolean>;
  ready(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** The node `node-1`; its agent is not started. */
export async function startTestNode(): Promise<TestNode> {
  const cluster = await startTestControlPlane();
  const { client, clock } = cluster;
  await client.create(namespaces, { metadata: { name: 'kube-node-lease' }, spec: {} });
  const runtime = simulatedRuntime({ clock, firstAddress: '10.77.0.0', addresses: 200 });
  const sandboxes: SandboxSpec[] = [];
  const created: ContainerSpec[] = [];
  const happened: string[] = [];
  const slowness = new Map<string, number>();
  let markedAtMs = clock.now();
  const note = (what: string): void => {
    happened.push(`+${Math.floor((clock.now() - markedAtMs) / 1000)} ${what}`);
  };

  const { createContainer, runSandbox, stopContainer } = runtime;
  runtime.runSandbox = (spec) => {
    sandboxes.push(spec);
    return runSandbox.call(runtime, spec);
  };
  runtime.createContainer = (sandbox, sandboxSpec, spec) => {
    created.push(spec);
    return createContainer.call(runtime, sandbox, sandboxSpec, spec);
  };
  const killAtMs = new Map<string, number>();
  runtime.stopContainer = async (id, graceSeconds) => {
    const container = await runtime.container(id);
    if (container?.state !== 'running') return;
    note(`signal ${container.name} ${graceSeconds}`);
    const slow = slowness.get(container.name) ?? 0;
    const ownEndMs = killAtMs.has(id) ? Number.POSITIVE_INFINITY : clock.now() + slow * 1000;
    const endMs = Math.min(ownEndMs, clock.now() + graceSeconds * 1000);
    killAtMs.set(id, endMs);
    await sleep(clock, endMs - clock.now());
    if ((await runtime.container(id))?.state !== 'running') return;
    await stopContainer.call(runtime, id, 0);
    note(`end ${container.name}`);
  };

  const get = (name: string): Promise<Stored<Pod>> => client.get(pods, { namespace: 'default', name });
  return {
    cluster,
    runtime,
    sandboxes,
    created,
    happened,
    slowness,
    mark() {
      markedAtMs = clock.now();
      happened.length = 0;
    },
    startAgent(options = {}) {
      const abort = new AbortController();
      const agent = createNodeAgent(
        { ...cluster.context, signal: AbortSignal.any([abort.signal, cluster.context.signal]) },
        {
          nodeName: 'node-1',
          nodeIps: ['10.0.0.1'],
          runtime,
          volumes: simulatedVolumes(),
          clusterDns: { ip: '10.77.0.1', domain: 'cluster.local' },
          dataDirectory: '/nowhere',
          logDirectory: '/nowhere/logs',
          volumeDirectory: '/nowhere/volumes',
          version: '0.0.0',
          capacity: { cpuCores: 8, memoryBytes: 8 * 1024 ** 3, pods: 1000 },
          files: simulatedFiles,
          checks: simulatedChecks,
          facts: simulatedFacts,
          ...options,
        },
      );
      const running = agent.run();
      cluster.run(running);
      return {
        async stop() {
          abort.abort();
          await clock.settle();
          await running;
        },
      };
    },
    createPod: (name, spec = {}, metadata = {}) =>
      client.create(pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default', ...metadata },
        spec: { nodeName: 'node-1', containers: [{ name: 'web', image: 'nginx:1' }], ...spec },
      }),
    get,
    async exists(name) {
      const { items } = await client.list(pods, { namespace: 'default' });
      return items.some((pod) => pod.metadata.name === name);
    },
    ready: (name) => cluster.until(async () => isReady(await get(name)), `${name} ready`),
    stop: () => cluster.stop(),
  };
}
