// Credentials for registries from a pod's imagePullSecrets (kubelet's credentialprovider). Pure.
import type { Secret } from '../../../api/generated/types.ts';
import { isStruct } from '../../../base/struct.ts';
import type { RegistryCredentials } from '../../runtime.ts';

/** The registry of an image: `docker.io` when the name has none. */
export function registryOf(image: string): string {
  const first = image.split('/')[0] ?? '';
  const named = image.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  return named ? first : 'docker.io';
}

/** The first credentials in the secrets that fit the image's registry. */
export function credentialsFor(image: string, secrets: readonly Secret[]): RegistryCredentials | undefined {
  const registry = registryOf(image);
  for (const secret of secrets) {
    for (const [server, entry] of Object.entries(authsOf(secret))) {
      if (!sameRegistry(server, registry)) continue;
      const credentials = readEntry(entry);
      if (credentials !== undefined) return credentials;
    }
  }
  return undefined;
}

function authsOf(secret: Secret): Record<string, unknown> {
  const encoded = secret.data?.['.dockerconfigjson'] ?? secret.data?.['.dockercfg'];
  if (encoded === undefined) return {};
  try {
    const config: unknown = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8'));
    const auths = isStruct(config) && isStruct(config.auths) ? config.auths : config;
    return isStruct(auths) ? auths : {};
  } catch {
    return {};
  }
}

function sameRegistry(server: string, registry: string): boolean {
  const [host = ''] = server.replace(/^https?:\/\//, '').split('/', 1);
  const hub = (name: string): string =>
    name === 'index.docker.io' || name === 'registry-1.docker.io' ? 'docker.io' : name;
  return hub(host) === hub(registry);
}

function readEntry(entry: unknown): RegistryCredentials | undefined {
  if (!isStruct(entry)) return undefined;
  if (typeof entry.username === 'string' && typeof entry.password === 'string' && entry.username) {
    return { username: entry.username, password: entry.password };
  }
  if (typeof entry.auth !== 'string') return undefined;
  const decoded = Buffer.from(entry.auth, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0 ? undefined : { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
