// A server as `stead up` has it, over HTTPS and a store in memory, for those who try to stop it; and ways to it that no
// honest client has.
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { allResources } from '../../src/api/resources/all.ts';
import { serveHttps } from '../../src/apiserver/http/port/serve-https.ts';
import { createApiServer } from '../../src/apiserver/server.ts';
import { makeTestCertificates } from '../../src/apiserver/test-certificates.ts';
import type { Clock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { openMemoryStore } from '../../src/store/memory.ts';

export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Without a client certificate. */
  anonymous?: boolean;
}

export interface Answered {
  code: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export interface Besieged {
  port: number;
  ask(path: string, asked?: Asked): Promise<Answered>;
  /** A connection of the administrator's, as bytes. @param protocol what TLS agrees on. */
  connect(protocol: 'h2' | 'http/1.1'): Promise<TLSSocket>;
  stop(): Promise<void>;
}

const clock: Clock = {
  now: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

export async function besieged(): Promise<Besieged> {
  const certificates = await makeTestCertificates();
  const admin = await certificates.client('admin', 'system:masters');
  const api = createApiServer({
    store: openMemoryStore(),
    clock,
    random: { next: Math.random, uuid: randomUUID },
    log: silentLog,
    resources: allResources,
    serviceCidr: '10.96.0.0/16',
  });
  const server = await serveHttps({
    api,
    tls: { ...certificates.server, ca: certificates.ca },
    host: '127.0.0.1',
    port: 0,
    authenticateToken: api.identity.authenticateToken,
    authorize: api.identity.authorize,
    log: silentLog,
    clock,
    health: [],
  });
  const { port } = server;
  const { ca } = certificates;
  const ask: Besieged['ask'] = (path, { method = 'GET', headers = {}, body, anonymous = false } = {}) => {
    // Whatever name it is asked by: that is for the tests to choose.
    const agent = new Agent({ ca, ...(anonymous ? {} : admin), checkServerIdentity: () => undefined });
    return new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port, path, method, headers, agent }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.once('end', () => {
          agent.destroy();
          resolve({ code: response.statusCode ?? 0, headers: response.headers, text });
        });
      });
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  };
  for (const kind of ['namespaces', 'serviceaccounts']) {
    const path = kind === 'namespaces' ? '/api/v1/namespaces' : `/api/v1/namespaces/default/${kind}`;
    await ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"metadata":{"name":"default"}}',
    });
  }
  return {
    port,
    ask,
    connect: (protocol) =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port, ca, ...admin, ALPNProtocols: [protocol] }, () =>
          resolve(socket),
        );
        socket.once('error', reject);
      }),
    async stop() {
      await server.close();
      api.stop();
    },
  };
}
