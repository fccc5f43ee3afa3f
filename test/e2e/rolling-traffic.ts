// A set behind a Service is rolled over while clients ask it: from a pod, from the machine and from a neighbour, by cluster
// IP and by node port, by TCP and by UDP. How often and how many updates is the business of those who start it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Neighbour } from '../kit/neighbour.ts';
import { TestStead } from '../kit/stead.ts';
import { CLIENT, type Manner, type Order, type Outcome, SERVER } from './rolling-programs.ts';

const TOOLBOX = 'stead.dev/toolbox:1';
const NODE_PORT = 30_481;
const UDP_NODE_PORT = 30_482;
const REPLICAS = 3;

/** Runs a program of Node's in a container of this machine: Node is taken from the machine as it is. */
const nodeContainer = (program: string): string => `
        - name: c
          image: ${TOOLBOX}
          command: [chroot, /machine, "${process.execPath}", -e, ${JSON.stringify(program)}]
          volumeMounts: [{ name: machine, mountPath: /machine, readOnly: true }]`;
const MACHINE = '[{ name: machine, hostPath: { path: / } }]';

const MANIFEST = `
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  type: NodePort
  selector: { app: web }
  ports:
    - { name: http, port: 80, targetPort: 8080, nodePort: ${NODE_PORT} }
    - { name: echo, port: 80, protocol: UDP, targetPort: 9000, nodePort: ${UDP_NODE_PORT} }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: web }
spec:
  serviceName: web
  replicas: ${REPLICAS}
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 10
      volumes: ${MACHINE}
      containers:${nodeContainer(SERVER)}
          lifecycle: { preStop: { sleep: { seconds: 2 } } }
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Pod
metadata: { name: client }
spec:
  terminationGracePeriodSeconds: 0
  volumes: ${MACHINE}
  containers:${nodeContainer('setInterval(() => {}, 1e6)')}
`;

/** What one of the clients has met. */
export interface Met extends Outcome {
  /** `pod, by cluster IP, kept port` */
  client: string;
}

/**
 * Starts a stead, rolls the set so often while every client asks so many times at the least, and takes the stead down.
 * @throws AssertionError if the rolling updates come to no end.
 */
export async function rollUnderTraffic(updates: number, requests: number): Promise<Met[]> {
  const neighbour = await Neighbour.make();
  try {
    const stead = await TestStead.start('toolbox');
    try {
      return await roll(stead, neighbour, updates, requests);
    } finally {
      await stead.purge();
    }
  } finally {
    await neighbour.end();
  }
}

async function roll(
  stead: TestStead,
  neighbour: Neighbour,
  updates: number,
  requests: number,
): Promise<Met[]> {
  await stead.apply(MANIFEST);
  await stead.ready('web', REPLICAS);
  await stead.kubectl('wait', '--for=condition=Ready', 'pod/client');
  const clusterIp = await stead.field('service/web', '.spec.clusterIP');
  const machine = await stead.field('node', '.items[0].status.addresses[0].address');
  const node = ['-e', CLIENT];
  const exec = ['exec', '-i', 'client', '--', 'chroot', '/machine', process.execPath, ...node];
  const both = (hosts: string[]): Way[] => [
    { name: 'by cluster IP', host: clusterIp, tcp: 80, udp: 80 },
    ...hosts.map((host) => ({ name: 'by node port', host, tcp: NODE_PORT, udp: UDP_NODE_PORT })),
  ];
  const places: Place[] = [
    { name: 'pod', command: ['kubectl', exec], kubeconfig: stead.kubeconfig, ways: both([machine]) },
    { name: 'machine', command: [process.execPath, node], ways: both([machine]) },
    {
      name: 'neighbour',
      command: neighbour.inside(process.execPath, node),
      ways: both([neighbour.machine]).slice(1),
    },
  ];
  const clients = places.map((place) => startClients(place, requests));
  for (let update = 0; update < updates; update++) {
    await stead.kubectl('rollout', 'restart', 'sts/web');
    await stead.ready('web', REPLICAS);
  }
  return (await Promise.all(clients.map((client) => client.end()))).flat();
}

/** How the Service is reached. */
interface Way {
  name: string;
  host: string;
  tcp: number;
  udp: number;
}

/** Where clients are. */
interface Place {
  name: string;
  /** Runs the client's program there; its order is added. */
  command: [string, string[]];
  kubeconfig?: string;
  ways: Way[];
}

const MANNERS: readonly Manner[] = ['connection', 'kept connection', 'datagram', 'kept port'];

function startClients(
  { name, command, kubeconfig, ways }: Place,
  requests: number,
): { end(): Promise<Met[]> } {
  const asked = ways.flatMap(({ name: way, host, tcp, udp }) =>
    MANNERS.map((manner) => ({
      client: `${name}, ${way}, ${manner}`,
      target: { manner, host, port: manner.includes('connection') ? tcp : udp },
    })),
  );
  const order: Order = { requests, answer: '^web-\\d$', targets: asked.map(({ target }) => target) };
  const [program, args] = command;
  const child = spawn(program, [...args, JSON.stringify(order)], {
    env: { ...process.env, KUBECONFIG: kubeconfig },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  child.stdin.on('error', () => {});
  return {
    async end() {
      child.stdin.end();
      assert.equal(await ended, 0, `the clients of the ${name} have ended: ${printed}`);
      const outcomes: Outcome[] = JSON.parse(printed);
      return asked.flatMap(({ client }, index) => {
        const outcome = outcomes[index];
        return outcome ? { client, ...outcome } : [];
      });
    },
  };
}
