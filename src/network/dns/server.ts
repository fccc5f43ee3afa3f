// The cluster's DNS server: UDP and TCP on the addresses it is given. Answers about the cluster come from the
// informers' caches, remembered by the bytes of the question until a Service or EndpointSlice changes; everything
// else goes to the machine's resolvers.
import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server, type Socket as TcpSocket } from 'node:net';
import { endpointSlices } from '../../api/resources/endpoint-slices.ts';
import { namespaces } from '../../api/resources/namespaces.ts';
import { services } from '../../api/resources/services.ts';
import type { RunContext } from '../../client/run-context.ts';
import { createForwarder, framed } from './forward.ts';
import { answerFromZone, readQuery, serverFailure } from './packet.ts';
import type { Zone } from './resolve.ts';

/** Remembered answers; beyond it the memory starts afresh. */
const MAX_REMEMBERED = 10_000;
/** TCP connections at once, and how long an idle one is kept, in milliseconds. */
const MAX_TCP_CONNECTIONS = 256;
const TCP_IDLE_MS = 10_000;

export interface DnsOptions {
  /** Where to listen; all on the same port. */
  addresses: readonly string[];
  /** 53 for pods; 0 for any free one. */
  port: number;
  /** `cluster.local` */
  domain: string;
  /** Resolvers for names outside the cluster. */
  forwardTo: readonly string[];
}

export interface DnsServer {
  port: number;
  close(): Promise<void>;
}

/**
 * Starts the server; it answers when the promise resolves. Needs the caches of Services, EndpointSlices and
 * Namespaces, and waits for them.
 * @throws the bind error (address or port in use, no such address) with the address in its message.
 */
export async function startDnsServer(context: RunContext, options: DnsOptions): Promise<DnsServer> {
  const remembered = new Map<string, Buffer>();
  const zone = zoneOf(context, options, () => remembered.clear());
  const forwarder = createForwarder(options.forwardTo, context.clock);
  await zone.synced;

  const answer = async (message: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> => {
    // Two identical questions differ in their first two bytes only, the id.
    const memoryKey = transport + message.toString('latin1', 2);
    const known = remembered.get(memoryKey);
    if (known) {
      const copy = Buffer.from(known);
      message.copy(copy, 0, 0, 2);
      return copy;
    }
    const query = readQuery(message);
    if (!query) return undefined;
    const ours = answerFromZone(query, zone.zone, transport);
    if (!ours) return (await forwarder.forward(message, transport)) ?? serverFailure(query);
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(memoryKey, ours);
    return ours;
  };

  const closers: Array<() => Promise<void>> = [];
  const close = async (): Promise<void> => {
    zone.unsubscribe();
    forwarder.close();
    await Promise.all(closers.map((end) => end()));
  };
  let port = options.port;
  try {
    for (const address of options.addresses) {
      const udp = await listenUdp(address, port, answer);
      closers.push(() => new Promise((resolve) => udp.close(() => resolve())));
      port = udp.address().port;
      const tcp = await listenTcp(address, port, answer);
      closers.push(tcp.close);
    }
  } catch (error) {
    await close();
    throw error;
  }
  context.log.info('DNS answers', { addresses: options.addresses.join(','), port, domain: options.domain });
  return { port, close };
}

function zoneOf(context: RunContext, options: DnsOptions, onChange: () => void) {
  const serviceCache = context.informers.of(services);
  const sliceCache = context.informers.of(endpointSlices);
  const namespaceCache = context.informers.of(namespaces);
  serviceCache.addIndex('clusterIP', (service) => service.spec.clusterIPs ?? []);
  sliceCache.addIndex('service', ({ metadata }) => {
    const service = metadata.labels?.['kubernetes.io/service-name'];
    return service ? [`${metadata.namespace}/${service}`] : [];
  });
  sliceCache.addIndex('address', (slice) =>
    (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses),
  );
  const handlers = { added: onChange, updated: onChange, deleted: onChange };
  const subscriptions = [
    serviceCache.subscribe(handlers),
    sliceCache.subscribe(handlers),
    namespaceCache.subscribe(handlers),
  ];
  const zone: Zone = {
    domain: options.domain,
    serverAddress: options.addresses[0] ?? '127.0.0.1',
    hasNamespace: (name) => namespaceCache.get(undefined, name) !== undefined,
    service: (namespace, name) => serviceCache.get(namespace, name),
    slicesOf: (namespace, name) => sliceCache.byIndex('service', `${namespace}/${name}`),
    serviceByIp: (ip) => serviceCache.byIndex('clusterIP', ip)[0],
    slicesByIp: (ip) => sliceCache.byIndex('address', ip),
  };
  return {
    zone,
    synced: Promise.all([serviceCache.synced(), sliceCache.synced(), namespaceCache.synced()]),
    unsubscribe: () => {
      for (const end of subscriptions) end();
    },
  };
}

type Answer = (message: Buffer, transport: 'udp' | 'tcp') => Promise<Buffer | undefined>;

function listenUdp(address: string, port: number, answer: Answer): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', (error) => reject(bindError(address, port, error)));
    socket.bind(port, address, () => {
      socket.removeAllListeners('error');
      // A client that went away makes later sends fail; the server goes on.
      socket.on('error', () => {});
      socket.on('message', async (message, client) => {
        const reply = await answer(message, 'udp');
        if (reply) socket.send(reply, client.port, client.address, () => {});
      });
      resolve(socket);
    });
  });
}

function listenTcp(address: string, port: number, answer: Answer): Promise<{ close(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const open = new Set<TcpSocket>();
    const server: Server = createServer((socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      socket.on('error', () => socket.destroy());
      socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
      let pending = Buffer.alloc(0);
      socket.on('data', async (chunk) => {
        pending = Buffer.concat([pending, chunk]);
        while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
          const end = 2 + pending.readUInt16BE(0);
          const message = pending.subarray(2, end);
          pending = pending.subarray(end);
          const reply = await answer(message, 'tcp');
          if (!reply) return socket.destroy();
          socket.write(framed(reply));
        }
      });
    });
    server.maxConnections = MAX_TCP_CONNECTIONS;
    server.once('error', (error) => reject(bindError(address, port, error)));
    server.listen(port, address, () => {
      server.removeAllListeners('error');
      resolve({
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of open) socket.destroy();
          }),
      });
    });
  });
}

function bindError(address: string, port: number, cause: Error): Error {
  return new Error(`DNS cannot listen on ${address}:${port}: ${cause.message}`, { cause });
}
