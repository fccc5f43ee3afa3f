// A control plane for the tests of controllers: the real API server over the memory store, real informers, virtual
// time. Which controllers run is the test's choice; a node that runs nothing can be added by a line.

import { isAlreadyExists } from '../api/errors.ts';
import type { Node, Pod } from '../api/generated/types.ts';
import type { Stored } from '../api/objects.ts';
import { allResources } from '../api/resources/all.ts';
import { events } from '../api/resources/events/definition.ts';
import { namespaces } from '../api/resources/namespaces/definition.ts';
import { nodes } from '../api/resources/nodes/definition.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { serviceAccounts } from '../api/resources/service-accounts/definition.ts';
import { authorized } from '../apiserver/authorized.ts';
import { type Authorizer, refusal } from '../apiserver/authz/authorize.ts';
import { ensureDefaultRbac } from '../apiserver/authz/ensure-default-rbac.ts';
import { createApiServer, type RunningApiServer } from '../apiserver/server.ts';
import { type Log, silentLog } from '../base/log.ts';
import type { Client } from '../client/client.ts';
import { directClient } from '../client/direct.ts';
import type { RunContext } from '../client/run-context.ts';
import { createInformers } from '../client/shared-informers.ts';
import { controllerUser } from '../cluster/roles/identities.ts';
import { openMemoryStore } from '../store/memory.ts';
import { seededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface TestControlPlane {
  client: Client;
  clock: VirtualClock;
  /** Of an administrator. */
  context: RunContext;
  /** What is served; more can be. */
  api: RunningApiServer;
  /** Of a controller, by its name in cluster/roles/controllers.ts: it acts as itself, with its own rights. */
  contextOf(controller: string): RunContext;
  /** What was logged as an error or a warning. */
  complaints: string[];
  /** Starts a controller, which runs until `stop`. */
  run(controller: Promise<void>): void;
  /** Lets everything happen that happens without time passing; then until `condition` holds, time passing. */
  until(condition: () => Promise<boolean> | boolean, what: string): Promise<void>;
  addNode(
    name: string,
    change?: Partial<Node['status']> & { labels?: Record<string, string> },
  ): Promise<Stored<Node>>;
  /** Says for a pod what its node would say: it runs, it is ready, it has this address. */
  runPod(name: string, podIP: string, ready?: boolean): Promise<Stored<Pod>>;
  /** The events about an object, as `Reason: message`. */
  eventsOf(name: string): Promise<string[]>;
  /** Throws if somebody asked for what they may not. */
  stop(): Promise<void>;
}

const STEP_MS = 250;
const LIMIT_MS = 10 * 60_000;

/** A cluster with the namespace `default`, its service account, and no nodes. */
export async function startTestControlPlane(): Promise<TestControlPlane> {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const complaints: string[] = [];
  const log: Log = {
    ...silentLog,
    warn: (message) => void complaints.push(message),
    error: (message, error) => void complaints.push(`${message}: ${String(error)}`),
    named: () => log,
  };
  const store = openMemoryStore();
  const server = createApiServer({
    store,
    clock,
    random,
    log,
    resources: allResources,
    serviceCidr: '10.96.0.0/16',
  });
  const client = directClient(server, { name: 'test', groups: ['system:masters'] });
  await client.create(namespaces, { metadata: { name: 'default' }, spec: {} });
  await client.create(serviceAccounts, { metadata: { namespace: 'default', name: 'default' } });
  const end = new AbortController();
  const informers = createInformers(client, clock, log, end.signal, random, server);
  const context: RunContext = { client, informers, clock, random, log, signal: end.signal };
  const refused: string[] = [];
  let roles: Promise<void> | undefined;
  const authorize: Authorizer = async (user, asked) => {
    // Made for who needs them: most tests are an administrator's.
    roles ??= makeRoles(client);
    await roles;
    const decision = await server.identity.authorize(user, asked);
    if (!decision.allowed) refused.push(refusal(user, asked, decision.reason).message);
    return decision;
  };
  const front = authorized(server, authorize);
  const running: Promise<void>[] = [];
  return {
    client,
    clock,
    context,
    api: server,
    contextOf: (controller) => ({ ...context, client: directClient(front, controllerUser(controller)) }),
    complaints,
    run: (controller) => void running.push(controller),
    async until(condition, what) {
      const deadline = clock.now() + LIMIT_MS;
      await clock.settle();
      while (!(await condition())) {
        if (clock.now() > deadline) throw new Error(`never came true: ${what}; ${complaints.join('; ')}`);
        await clock.advance(STEP_MS);
      }
    },
    async addNode(name, { labels, ...status } = {}) {
      await client.create(nodes, {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name,
          labels: { 'kubernetes.io/hostname': name, ...labels },
          annotations: { 'stead.dev/volume-directory': '/var/lib/stead/volumes' },
        },
        spec: {},
        status: {
          allocatable: { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '50Gi' },
          conditions: [{ type: 'Ready', status: 'True' }],
          ...status,
        },
      });
      // It is ready, whoever runs beside it: the taint of a new node goes.
      return client.patch(nodes, { name }, { type: 'merge', body: { spec: { taints: null } } });
    },
    async runPod(name, podIP, ready = true) {
      const status = {
        phase: 'Running',
        podIP,
        podIPs: [{ ip: podIP }],
        conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      };
      const key = { namespace: 'default', name };
      return client.patch(pods, key, { type: 'strategic', body: { status } }, { subresource: 'status' });
    },
    async eventsOf(name) {
      const { items } = await client.list(events);
      return items
        .filter((event) => event.involvedObject.name === name)
        .map((event) => `${event.reason}: ${event.message}`);
    },
    async stop() {
      end.abort();
      await Promise.all(running);
      server.stop();
      await store.close();
      if (refused.length > 0) throw new Error(`not allowed: ${refused.join('; ')}`);
    },
  };
}

async function makeRoles(client: Client): Promise<void> {
  await client.create(namespaces, { metadata: { name: 'kube-system' }, spec: {} }).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
  await ensureDefaultRbac(client);
}
