// Looks at the network as a client does, a thousand times a second, and says when it first saw what it waits for. A process
// of its own, so that what it measures does not wait for it; its clock is the machine's, which all processes share.
// A line of standard input is a question: `tcp HOST PORT yes|no` or `name SERVER NAME yes|no`; the answer is a time in
// nanoseconds.
import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const PAUSE_MS = 1;
const PATIENCE_MS = 50;

/** Whether a connection is accepted. */
const accepts = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PATIENCE_MS, () => end(false));
    socket.on('connect', () => end(true));
    socket.on('error', () => end(false));
  });

/** Whether a name has an address. */
async function isKnown(server: string, name: string): Promise<boolean> {
  const resolver = new Resolver({ timeout: PATIENCE_MS, tries: 1 });
  resolver.setServers([server]);
  return resolver.resolve4(name).then(
    () => true,
    () => false,
  );
}

for await (const text of createInterface({ input: process.stdin })) {
  const [what = '', where = '', which = '', wanted = ''] = text.split(' ');
  const look = (): Promise<boolean> =>
    what === 'tcp' ? accepts(where, Number(which)) : isKnown(where, which);
  for (;;) {
    const isSo = await look();
    const nowNs = process.hrtime.bigint();
    if (isSo === (wanted === 'yes')) {
      process.stdout.write(`${nowNs}\n`);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
