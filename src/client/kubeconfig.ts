// Reads a kubeconfig: where the API is, how to know it, and who we are. Users that run a program to log in (exec)
// are not served.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isStruct, type Struct } from '../base/struct.ts';
import { yaml } from '../base/yaml.ts';

/** Where and as whom to speak to an API. Certificates and keys are PEM. */
export interface ApiEndpoint {
  /** `https://127.0.0.1:6443` */
  server: string;
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  token?: string | undefined;
  /** Do not check the server's certificate. */
  insecure?: boolean;
  /** The context's namespace. */
  namespace?: string | undefined;
}

/**
 * The endpoint of a kubeconfig's current context.
 * @param text the file's YAML.
 * @param directory the file's directory, against which the paths in it are resolved.
 * @throws Error that says what is wrong with it.
 */
export function parseKubeconfig(text: string, directory = '.'): ApiEndpoint {
  const config = fieldsOf(yaml().parse(text), 'the kubeconfig');
  const contextName = stringOf(config, 'current-context');
  if (!contextName)
    throw new Error('the kubeconfig has no current-context: set one with `kubectl config use-context`');
  const context = named(config, 'contexts', contextName, 'context');
  const cluster = named(config, 'clusters', stringOf(context, 'cluster') ?? '', 'cluster');
  const userName = stringOf(context, 'user');
  const user = userName ? named(config, 'users', userName, 'user') : {};
  const server = stringOf(cluster, 'server');
  if (!server) throw new Error(`the kubeconfig's cluster "${stringOf(context, 'cluster')}" has no server`);
  if (user.exec || user['auth-provider']) {
    throw new Error(
      `the kubeconfig's user "${userName}" logs in with a program, which is not supported: use a token`,
    );
  }
  const pem = (from: Struct, name: string): string | undefined => {
    const data = stringOf(from, `${name}-data`);
    if (data) return Buffer.from(data, 'base64').toString();
    const path = stringOf(from, name);
    return path ? readFileSync(resolve(directory, path), 'utf8') : undefined;
  };
  const tokenFile = stringOf(user, 'tokenFile');
  return {
    server,
    ca: pem(cluster, 'certificate-authority'),
    cert: pem(user, 'client-certificate'),
    key: pem(user, 'client-key'),
    token: tokenFile ? readFileSync(resolve(directory, tokenFile), 'utf8').trim() : stringOf(user, 'token'),
    insecure: cluster['insecure-skip-tls-verify'] === true,
    namespace: stringOf(context, 'namespace'),
  };
}

/** `contexts: [{ name, context: {…} }]` → the inner part of the one with that name. */
function named(config: Struct, list: string, name: string, inner: string): Struct {
  const items = config[list];
  const found = Array.isArray(items) ? items.find((item) => isStruct(item) && item.name === name) : undefined;
  if (!isStruct(found)) throw new Error(`the kubeconfig has no ${inner} "${name}"`);
  return fieldsOf(found[inner] ?? {}, `the kubeconfig's ${inner} "${name}"`);
}

function fieldsOf(value: unknown, what: string): Struct {
  if (!isStruct(value)) throw new Error(`${what} is not a YAML mapping`);
  return value;
}

function stringOf(fields: Struct, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
