// The programs that meet in a rolling update: a server that ends in order when it is told to, and a client that behaves
// well, which is to say that it tries a second time, at once, and no third. Both are run by Node, in a container or beside.

/** Arguments: none. HTTP on 8080 and an echo by UDP on 9000, each saying which pod it is. */
export const SERVER = `
const name = require('node:os').hostname();
const http = require('node:http').createServer((_, response) => response.end(name));
const udp = require('node:dgram').createSocket('udp4');
udp.on('message', (_, from) => udp.send(name, from.port, from.address));
udp.bind(9000, () => http.listen(8080, '0.0.0.0'));
process.on('SIGTERM', () => {
  udp.close();
  http.close(() => process.exit());
});
`;

/** How a client asks. */
export type Manner =
  /** By a new connection for each request. */
  | 'connection'
  /** By one connection for as long as it lives. */
  | 'kept connection'
  /** By UDP, from a new port each time. */
  | 'datagram'
  /** By UDP, from one port all the time. */
  | 'kept port';

/** What a client is told on its command line, as JSON. */
export interface Order {
  /** How many requests at the least. */
  requests: number;
  /** What answers look like. */
  answer: string;
  targets: Array<{ manner: Manner; host: string; port: number }>;
}

/** What it prints when its input has ended and it has asked often enough: one for each target. */
export interface Outcome {
  asked: number;
  /** First tries that came to nothing, by what came of them. */
  retried: Record<string, number>;
  /** What came of both tries, where both came to nothing. */
  failed: string[];
}

export const CLIENT = `
const { requests, answer, targets } = JSON.parse(process.argv[1]);
const http = require('node:http');
const dgram = require('node:dgram');
const PATIENCE_MS = 2000;
const right = new RegExp(answer);
let isDone = false;
process.stdin.resume().on('end', () => { isDone = true; });

const overHttp = ({ host, port }, agent) => new Promise((resolve) => {
  const request = http.get({ host, port, agent, timeout: PATIENCE_MS }, (response) => {
    let text = '';
    response.on('data', (data) => { text += data; });
    response.on('end', () => resolve(text));
    response.on('error', (error) => resolve(error.code));
  });
  request.on('timeout', () => request.destroy(Object.assign(new Error(), { code: 'nothing' })));
  request.on('error', (error) => resolve(error.code));
});
const overUdp = (socket) => new Promise((resolve) => {
  const end = (text) => {
    clearTimeout(timer);
    socket.removeAllListeners();
    resolve(text);
  };
  const timer = setTimeout(() => end('nothing'), PATIENCE_MS);
  socket.once('message', (data) => end(String(data)));
  socket.once('error', (error) => end(error.code));
  socket.send('?', (error) => error && end(error.code));
});
const bound = ({ host, port }) => new Promise((resolve) => {
  const socket = dgram.createSocket('udp4');
  socket.connect(port, host, () => resolve(socket));
});
const MANNERS = {
  connection: async (target) => () => overHttp(target, false),
  // Who is refused a kept connection tries by a new one: the agent has none left.
  'kept connection': async (target) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    return () => overHttp(target, agent);
  },
  datagram: async (target) => async () => {
    const socket = await bound(target);
    const text = await overUdp(socket);
    socket.close();
    return text;
  },
  'kept port': async (target) => {
    const socket = await bound(target);
    return () => overUdp(socket);
  },
};
Promise.all(targets.map(async (target) => {
  const ask = await MANNERS[target.manner](target);
  const outcome = { asked: 0, retried: {}, failed: [] };
  while (!isDone || outcome.asked < requests) {
    outcome.asked++;
    const first = await ask();
    if (!right.test(first)) {
      outcome.retried[first] = (outcome.retried[first] ?? 0) + 1;
      const second = await ask();
      if (!right.test(second)) outcome.failed.push(first + ', then ' + second);
    }
    // Many requests and not all of the machine: that is to run pods meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return outcome;
})).then((outcomes) => {
  console.log(JSON.stringify(outcomes));
  process.exit();
});
`;
