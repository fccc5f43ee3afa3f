// Logs, exec, attach and port-forward: reads what kubectl asks, picks the protocol, and reaches the pod's node. The
// protocols themselves stand beside this file; what the node does is behind NodeStreams.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { NodeStreams, PodTarget } from '../../api/between/node-streams.ts';
import { badRequest, internal } from '../../api/errors.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { ConnectHandler, ConnectRequest } from '../connect.ts';
import type { Channels, Wanted } from './channels.ts';
import { chooseContainer } from './container.ts';
import { sendLogs } from './logs.ts';
import {
  type OpenPort,
  PORT_FORWARD_PROTOCOL,
  servePortForward,
  TUNNELLED_PORT_FORWARD_PROTOCOL,
  websocketBytes,
} from './port-forward.ts';
import { joinSession } from './remote-command.ts';
import { SPDY_COMMAND_PROTOCOLS, spdyChannels } from './spdy-channels.ts';
import { acceptSpdy, offeredProtocols } from './spdy-upgrade.ts';
import { REMOTE_COMMAND_PROTOCOLS, websocketChannels } from './websocket-channels.ts';
import { portsOf, serveWebsocketPorts } from './websocket-ports.ts';

/** The most that one WebSocket message may hold, in bytes. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

export interface StreamHandlerOptions {
  /** The streams of a node, by its name; undefined if it cannot be reached. */
  streams(nodeName: string): NodeStreams | undefined;
  clock: Clock;
  log: Log;
}

export function createStreamHandler({ streams, clock, log }: StreamHandlerOptions): ConnectHandler {
  const commands = websocketServer(REMOTE_COMMAND_PROTOCOLS);
  const ports = websocketServer(PORT_FORWARD_PROTOCOLS);
  const nodeOf = ({ pod }: ConnectRequest): NodeStreams => {
    const { nodeName } = pod.spec;
    if (!nodeName) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
    const node = streams(nodeName);
    if (!node) throw internal(`node ${nodeName} of pod ${pod.metadata.name} cannot be reached`);
    return node;
  };

  return {
    async request(request, exchange) {
      if (request.subresource !== 'log') {
        throw badRequest('Upgrade request required');
      }
      await sendLogs(nodeOf(request), targetOf(request), request, exchange, clock.now());
    },
    async upgrade(request, message, socket, head) {
      const node = nodeOf(request);
      const asWebsocket = (message.headers.upgrade ?? '').toLowerCase() === 'websocket';
      if (request.subresource === 'portforward') {
        const { namespace = '', name, uid } = request.pod.metadata;
        const openPort: OpenPort = (port) => node.portForward({ namespace, name, uid }, port);
        if (!asWebsocket) {
          servePortForward(acceptSpdy(message, socket, head, [PORT_FORWARD_PROTOCOL]), openPort, log);
          return;
        }
        // Without a tunnel inside, the ports are in the query: to be read before the answer.
        const protocol = protocolOf(message, PORT_FORWARD_PROTOCOLS);
        const asked = protocol === TUNNELLED_PORT_FORWARD_PROTOCOL ? [] : portsOf(request.query);
        const websocket = await acceptWebsocket(ports, message, socket, head);
        if (asked.length > 0) serveWebsocketPorts(websocket, asked, openPort);
        else servePortForward(websocketBytes(websocket), openPort, log);
        return;
      }
      const wanted = wantedOf(request);
      const target = targetOf(request);
      const command = request.query.getAll('command');
      if (request.subresource === 'exec' && command.length === 0) {
        throw badRequest('you must specify at least one command for the container');
      }
      if (asWebsocket) protocolOf(message, REMOTE_COMMAND_PROTOCOLS);
      const channels: Channels = asWebsocket
        ? websocketChannels(await acceptWebsocket(commands, message, socket, head), wanted)
        : await spdyChannels(acceptSpdy(message, socket, head, SPDY_COMMAND_PROTOCOLS), wanted, clock);
      await joinSession(channels, () =>
        request.subresource === 'exec'
          ? node.exec(target, { ...wanted, command })
          : node.attach(target, wanted),
      );
    },
  };
}

const PORT_FORWARD_PROTOCOLS = [
  TUNNELLED_PORT_FORWARD_PROTOCOL,
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
];

function websocketServer(supported: readonly string[]): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: (offered) => choose([...offered], supported) ?? false,
  });
}

function choose(offered: readonly string[], supported: readonly string[]): string | undefined {
  return supported.find((protocol) => offered.includes(protocol));
}

/** The protocol that is agreed upon. Throws BadRequest when there is none. */
function protocolOf(message: IncomingMessage, supported: readonly string[]): string {
  const offered = offeredProtocols(message.headers['sec-websocket-protocol']);
  const chosen = choose(offered, supported);
  if (chosen) return chosen;
  throw badRequest(
    `unable to upgrade: none of the requested protocols [${offered.join(' ')}] is supported; use ${supported.join(' or ')}`,
  );
}

function acceptWebsocket(
  server: WebSocketServer,
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<WebSocket> {
  return new Promise((resolve) => server.handleUpgrade(message, socket, head, resolve));
}

function wantedOf({ query, subresource }: ConnectRequest): Wanted {
  const asked = (name: string): boolean => ['true', '1'].includes(query.get(name) ?? '');
  const wanted = {
    stdin: asked('stdin'),
    stdout: asked('stdout'),
    stderr: asked('stderr'),
    tty: asked('tty'),
  };
  if (!wanted.stdin && !wanted.stdout && !wanted.stderr) {
    throw badRequest(`you must specify at least one of stdin, stdout, stderr to ${subresource}`);
  }
  // A terminal has one output.
  return { ...wanted, stderr: wanted.stderr && !wanted.tty };
}

function targetOf(request: ConnectRequest): PodTarget {
  const { namespace = '', name, uid } = request.pod.metadata;
  return {
    namespace,
    name,
    uid,
    container: chooseContainer(request.pod, request.query.get('container') ?? ''),
  };
}
