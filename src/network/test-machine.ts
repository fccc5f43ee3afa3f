// A machine for tests of what rules do: network namespaces with a bridge and pods on it, and a neighbour beyond. Needs
// root, iproute2 and nft, and no containers; nothing of it is in the namespace of the test itself.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { Clock } from '../base/clock.ts';
import type { StartProgram } from '../base/lasting-program.ts';
import { CommandError, type RunCommand } from '../base/machine-command.ts';

const BRIDGE = 'stead0';
const GATEWAY = '10.244.0.1';
/** The machine's address in the neighbour's network. */
export const MACHINE_IP = '192.0.2.1';
export const NEIGHBOUR_IP = '192.0.2.2';

/** Why there can be no such machine here, or undefined. */
export const whyNoMachine: string | undefined =
  process.getuid?.() === 0 && spawnSync('nft', ['--version']).status === 0
    ? undefined
    : 'needs root and nftables';

/** Answers over TCP and UDP on a port: with the server's name and the address it was asked from. */
const SERVER = `
const [name, port] = process.argv.slice(1);
const text = (address) => name + ' ' + address.replace('::ffff:', '') + '\\n';
const tcp = require('node:net').createServer((socket) => {
  socket.on('error', () => {});
  socket.end(text(socket.remoteAddress));
});
const udp = require('node:dgram').createSocket('udp6');
udp.on('message', (_, from) => udp.send(text(from.address), from.port, from.address));
tcp.listen(Number(port), '::', () => udp.bind(Number(port), () => console.log('up')));
`;

/** Asks, says what it got, and ends: the answer, `refused` or `nothing`. */
const CLIENT = `
const [protocol, host, port, from, patience] = process.argv.slice(1);
const end = (text) => { console.log(text.trim()); process.exit(); };
setTimeout(() => end('nothing'), Number(patience));
if (protocol === 'tcp') {
  const socket = require('node:net').connect({ host, port: Number(port), localPort: Number(from) || undefined });
  socket.on('error', (error) => end(error.code === 'ECONNREFUSED' ? 'refused' : error.code));
  socket.on('data', (data) => end(String(data)));
} else {
  const socket = require('node:dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('error', (error) => end(error.code === 'ECONNREFUSED' ? 'refused' : error.code));
  socket.on('message', (data) => end(String(data)));
  socket.bind(Number(from), () => socket.connect(Number(port), host, () => socket.send('?')));
}
`;

/** A long wait for what comes; a short one where nothing is to come. */
const PATIENCE_MS = 10_000;
const SILENCE_MS = 700;

export interface Question {
  protocol?: 'tcp' | 'udp';
  /** The port it is asked from. */
  from?: number;
  /** Nothing is to come: one does not wait long for it. */
  silence?: boolean;
}

/** A namespace with a program in it that keeps it. */
class Place {
  readonly pid: number;
  readonly #children: ChildProcess[] = [];

  private constructor(keeper: ChildProcess) {
    this.#children.push(keeper);
    this.pid = keeper.pid ?? 0;
  }

  static async make(): Promise<Place> {
    const keeper = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up && echo up && exec sleep 600']);
    await once(keeper.stdout, 'data');
    return new Place(keeper);
  }

  inside(program: string, args: readonly string[]): [string, string[]] {
    return ['nsenter', ['--target', `${this.pid}`, '--net', program, ...args]];
  }

  async sh(script: string): Promise<string> {
    return command(...this.inside('sh', ['-ec', script]));
  }

  serve(name: string, port: number): Promise<void> {
    return this.keep(SERVER, name, `${port}`);
  }

  /** Runs a program of Node's here until the end; it has begun when it has printed something. */
  async keep(program: string, ...args: string[]): Promise<void> {
    const child = spawn(...this.inside('node', ['-e', program, ...args]));
    this.#children.push(child);
    await once(child.stdout, 'data');
  }

  /** Runs a program of Node's here to its end. */
  async node(program: string, ...args: string[]): Promise<string> {
    return (await command(...this.inside('node', ['-e', program, ...args]))).trim();
  }

  /** What comes of asking: `NAME ADDRESS`, `refused`, `nothing`. */
  async ask(
    host: string,
    port: number,
    { protocol = 'tcp', from = 0, silence }: Question = {},
  ): Promise<string> {
    const patience = `${silence ? SILENCE_MS : PATIENCE_MS}`;
    return this.node(CLIENT, protocol, host, `${port}`, `${from}`, patience);
  }

  async end(): Promise<void> {
    for (const child of this.#children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
  }
}

async function command(program: string, args: readonly string[], input?: string): Promise<string> {
  const child = spawn(program, args);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  if (code === 0) return stdout;
  throw new CommandError(program, args, { exitCode: code ?? undefined, stderr, notInstalled: false });
}

export interface TestMachine {
  host: Place;
  neighbour: Place;
  /** A pod on the bridge, `10.244.0.N`, that answers on port 8080. */
  addPod(name: string, number: number): Promise<Place>;
  /** Programs that run in the machine's namespace. */
  run: RunCommand;
  start: StartProgram;
  /** What `start` has started, in order. */
  started: Array<{ program: string; pid: number }>;
  clock: Clock;
  end(): Promise<void>;
}

export async function makeMachine(): Promise<TestMachine> {
  const host = await Place.make();
  const neighbour = await Place.make();
  const places = [neighbour, host];
  await host.sh(`
    ip link add ${BRIDGE} type bridge
    ip address add ${GATEWAY}/24 dev ${BRIDGE}
    ip -6 address add fd00:244::1/64 dev ${BRIDGE} nodad
    ip link set ${BRIDGE} up
    ip link add eth0 type veth peer name eth0 netns ${neighbour.pid}
    ip address add ${MACHINE_IP}/24 dev eth0
    ip link set eth0 up
    ip route add default via ${NEIGHBOUR_IP}
    ip -6 route add default dev eth0
    echo 1 > /proc/sys/net/ipv4/ip_forward
    echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
  `);
  await neighbour.sh(`
    ip address add ${NEIGHBOUR_IP}/24 dev eth0
    ip link set eth0 up
    ip route add default via ${MACHINE_IP}
  `);
  const started: TestMachine['started'] = [];
  return {
    host,
    neighbour,
    started,
    async addPod(name, number) {
      const pod = await Place.make();
      places.unshift(pod);
      await host.sh(`
        ip link add pod${number} type veth peer name eth0 netns ${pod.pid}
        ip link set pod${number} master ${BRIDGE} up
        ip link set pod${number} type bridge_slave hairpin on
      `);
      await pod.sh(`
        ip address add 10.244.0.${number}/24 dev eth0
        ip -6 address add fd00:244::${number}/64 dev eth0 nodad
        ip link set eth0 up
        ip route add default via ${GATEWAY}
        ip -6 route add default via fd00:244::1
      `);
      await pod.serve(name, 8080);
      return pod;
    },
    run: (program, args, options = {}) => command(...host.inside(program, args), options.input),
    start: (program, args, { onStdout, onStderr, environment }) => {
      const child = spawn(...host.inside(program, args), { env: { ...process.env, ...environment } });
      if (child.pid) started.push({ program: [program, ...args].join(' '), pid: child.pid });
      child.stdout.setEncoding('utf8').on('data', onStdout);
      child.stderr.setEncoding('utf8').on('data', onStderr);
      child.stdin.on('error', () => {});
      return {
        write: (text) => void child.stdin.write(text),
        end: () => void child.stdin.end(),
        kill: () => void child.kill('SIGKILL'),
        ended: once(child, 'close').then(([code]) => code ?? undefined),
      };
    },
    clock: {
      now: Date.now,
      after(delayMs, action) {
        const timer = setTimeout(action, delayMs);
        return () => clearTimeout(timer);
      },
    },
    async end() {
      for (const place of places) await place.end();
    },
  };
}
