// The same requests over a real connection: TLS, HTTP/1.1, headers and bodies as bytes on a wire.
import { Agent, request as httpsRequest } from 'node:https';
import { type HttpsServer, serveHttps } from '../../src/apiserver/http/port/serve-https.ts';
import { makeTestCertificates } from '../../src/apiserver/test-certificates.ts';
import type { TestServer } from '../../src/apiserver/test-server.ts';
import { silentLog } from '../../src/base/log.ts';
import type { FuzzAnswer, FuzzRequest, Send } from './requests.ts';

export async function overHttps(server: TestServer): Promise<{ send: Send; close(): Promise<void> }> {
  const certificates = await makeTestCertificates();
  const client = await certificates.client('fuzz', 'system:masters');
  const https: HttpsServer = await serveHttps({
    api: server.api,
    tls: { ...certificates.server, ca: certificates.ca },
    host: '127.0.0.1',
    port: 0,
    authenticateToken: server.api.identity.authenticateToken,
    authorize: server.api.identity.authorize,
    log: silentLog,
    clock: server.clock,
    health: [],
  });
  const agent = new Agent({ ca: certificates.ca, ...client, keepAlive: true, maxSockets: 1 });
  return {
    send: (request) => sendOne(agent, https.port, request),
    async close() {
      agent.destroy();
      await https.close();
    },
  };
}

function sendOne(
  agent: Agent,
  port: number,
  { method, target, headers, body }: FuzzRequest,
): Promise<FuzzAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      { host: '127.0.0.1', port, path: target, method, headers, agent },
      (response) => {
        const chunks: Buffer[] = [];
        const answer = (): void =>
          resolve({
            code: response.statusCode ?? 0,
            contentType: String(response.headers['content-type'] ?? ''),
            body: Buffer.concat(chunks),
          });
        // A watch has no end: it is given up as soon as it has begun.
        if (response.headers['content-length'] === undefined && method !== 'HEAD') {
          answer();
          request.destroy();
          return;
        }
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('end', answer);
        response.once('error', reject);
      },
    );
    request.once('error', reject);
    request.end(body);
  });
}
