// Answers load balancers that ask a Service's `healthCheckNodePort` whether this node has a ready pod of it. Follows
// pkg/proxy/healthcheck/service_health.go.
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Log } from '../../base/log.ts';
import type { HealthCheck } from './plan.ts';

export class HealthChecks {
  readonly #log: Log;
  readonly #servers = new Map<number, Server>();
  #checks = new Map<number, HealthCheck>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Listens on the ports of these, and on no others. */
  set(checks: readonly HealthCheck[]): void {
    this.#checks = new Map(checks.map((check) => [check.port, check]));
    for (const [port, server] of this.#servers) if (!this.#checks.has(port)) this.#close(port, server);
    for (const port of this.#checks.keys()) if (!this.#servers.has(port)) this.#listen(port);
  }

  close(): void {
    for (const [port, server] of this.#servers) this.#close(port, server);
  }

  #listen(port: number): void {
    const server = createServer((_request, response) => this.#answer(port, response));
    this.#servers.set(port, server);
    server.on('error', (error) => {
      this.#log.error('a health check port cannot be listened on', error, { port });
      // The next change of any Service tries again.
      if (this.#servers.get(port) === server) this.#servers.delete(port);
    });
    server.listen(port);
  }

  #close(port: number, server: Server): void {
    this.#servers.delete(port);
    server.close();
    server.closeAllConnections();
  }

  #answer(port: number, response: ServerResponse): void {
    const check = this.#checks.get(port);
    if (!check) {
      response.writeHead(404).end();
      return;
    }
    const { namespace, name, localEndpoints } = check;
    response.writeHead(localEndpoints > 0 ? 200 : 503, {
      'Content-Type': 'application/json',
      'X-Content-Type-Options': 'nosniff',
      'X-Load-Balancing-Endpoint-Weight': localEndpoints,
    });
    const answer = { service: { namespace, name }, localEndpoints, serviceProxyHealthy: true };
    response.end(JSON.stringify(answer));
  }
}
