// A stead over simulated nodes as an attacker sees it: raw requests over TLS with whatever token, certificate, path or
// body comes to mind. Each test file here is one way in that somebody has tried somewhere.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { parseKubeconfig } from '../../src/client/kubeconfig.ts';
import { startSimulated } from '../kit/simulated-stead.ts';
import type { TestStead } from '../kit/stead.ts';

export interface Attempt {
  /** A ServiceAccount's or any other bearer token. */
  token?: string;
  /** Uses the administrator's certificate: for what the attacker could not set up. */
  asAdmin?: boolean;
  headers?: OutgoingHttpHeaders;
  /** Sent as JSON unless it is text. */
  body?: unknown;
}

export interface Outcome {
  code: number;
  headers: IncomingHttpHeaders;
  text: string;
}

export class Target {
  readonly stead: TestStead;
  readonly #port: number;
  readonly #admin: { ca: string | undefined; cert: string | undefined; key: string | undefined };

  private constructor(stead: TestStead) {
    this.stead = stead;
    const { server, ca, cert, key } = parseKubeconfig(readFileSync(stead.kubeconfig, 'utf8'));
    this.#port = Number(new URL(server).port);
    this.#admin = { ca, cert, key };
  }

  /** Starts a stead to attack; the caller ends it. */
  static async start(): Promise<Target> {
    return new Target(await startSimulated());
  }

  end(): Promise<void> {
    return this.stead.purge();
  }

  get port(): number {
    return this.#port;
  }

  /** Sends the path as it is, without any tidying. */
  try(method: string, path: string, attempt: Attempt = {}): Promise<Outcome> {
    const { token, asAdmin, headers, body } = attempt;
    const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const { ca, ...pair } = this.#admin;
    return new Promise((resolve, reject) => {
      const outgoing = request({
        host: '127.0.0.1',
        port: this.#port,
        method,
        path,
        ca,
        ...(asAdmin ? pair : {}),
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
      });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            code: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString(),
          }),
        );
      });
      outgoing.end(payload);
    });
  }

  /** What an administrator sets up for the attack; must succeed. */
  async admin(method: string, path: string, body?: unknown): Promise<Outcome> {
    const headers = method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {};
    const outcome = await this.try(method, path, { asAdmin: true, body, headers });
    assert.ok(outcome.code < 300, `${method} ${path}: ${outcome.code} ${outcome.text}`);
    return outcome;
  }

  /** A new ServiceAccount that may do what the rules say in its namespace, and nothing else. */
  async account(namespace: string, name: string, rules: readonly object[]): Promise<void> {
    const metadata = { name };
    await this.admin('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata });
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
    await this.admin('POST', `${rbac}/roles`, { metadata, rules });
    await this.admin('POST', `${rbac}/rolebindings`, {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    });
  }

  /** A token of a ServiceAccount. */
  async token(namespace: string, name: string, spec: object = {}): Promise<string> {
    const { text } = await this.admin(
      'POST',
      `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
      { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec },
    );
    return JSON.parse(text).status.token;
  }

  async namespace(name: string): Promise<void> {
    await this.admin('POST', '/api/v1/namespaces', { metadata: { name } });
  }
}
