// The certificates of a data directory: what the API server shows, what its administrator shows, and who signs both. Kept in
// the data directory, and made again before they end.
import { createHash, X509Certificate } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Authority, DAY_MS, ensureAuthority } from './certificate-authority.ts';
import { endOf, readPair, readText, writePair, writeWhole } from './certificate-files.ts';
import { issue, type KeyPair, makeKey } from './x509.ts';

export interface Certificates {
  /** The authority's certificate, PEM: what clients trust. While one follows another, several. */
  ca: string;
  /** With what clients need beside it, if they know only an older authority. */
  server: KeyPair;
  /** Client certificate of group system:masters. */
  admin: KeyPair;
  /** Of other clients, by the names they were asked for with. */
  clients: Readonly<Record<string, KeyPair>>;
  /** Signs ServiceAccount tokens; never renewed, since tokens would end with it. PEM. */
  serviceAccountKey: string;
  /** When each ends; all but authorities that have been followed are renewed before. */
  ends: CertificateEnd[];
}

export interface CertificateEnd {
  name: string;
  /** ms since the epoch. */
  endsAtMs: number;
}

/** A client that is to have a certificate. */
export interface ClientRequest {
  /** Of its files. */
  name: string;
  /** As whom it acts, and of which group. */
  user: string;
  group?: string;
}

const ADMIN: ClientRequest = { name: 'admin', user: 'stead-admin', group: 'system:masters' };
const LIFETIME_MS = 365 * DAY_MS;
/** A certificate is made again when it has less than this to live. */
const RENEW_BEFORE_MS = 60 * DAY_MS;

/**
 * Reads the certificates from a directory, making what is missing, about to expire, or not valid for the names.
 * @param names what the API server is called: DNS names and IP addresses.
 * @param nowMs ms since the epoch.
 * @param asked who else is to have one.
 */
export async function ensureCertificates(
  directory: string,
  names: readonly string[],
  nowMs: number,
  asked: readonly ClientRequest[] = [],
): Promise<Certificates> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const serviceAccountKey = await ensureServiceAccountKey(directory);
  const authority = await ensureAuthority(directory, nowMs);
  const clientOf = (request: ClientRequest): Promise<KeyPair> =>
    ensureClient(directory, authority, request, nowMs);
  const [server, admin, pairs] = await Promise.all([
    ensureServer(directory, authority, names, nowMs),
    clientOf(ADMIN),
    Promise.all(asked.map(async (each): Promise<[string, KeyPair]> => [each.name, await clientOf(each)])),
  ]);
  const clients = Object.fromEntries(pairs);
  return {
    ca: authority.bundle,
    server: { key: server.key, cert: server.cert + authority.chain },
    admin,
    clients,
    serviceAccountKey,
    ends: [
      { name: 'apiserver', endsAtMs: endOf(server.cert) },
      { name: 'admin', endsAtMs: endOf(admin.cert) },
      ...Object.entries(clients).map(([name, { cert }]) => ({ name, endsAtMs: endOf(cert) })),
      ...authority.trusted.map(({ cert, name }) => ({ name, endsAtMs: endOf(cert) })),
    ],
  };
}

async function ensureServiceAccountKey(directory: string): Promise<string> {
  const file = join(directory, 'service-accounts.key');
  const known = (await readText(file)) ?? '';
  if (known.includes('END PRIVATE KEY')) return known;
  const key = await makeKey();
  await writeWhole(file, key, 0o600);
  return key;
}

async function ensureServer(
  directory: string,
  { signing }: Authority,
  names: readonly string[],
  nowMs: number,
): Promise<KeyPair> {
  const issuedFile = join(directory, 'issued.json');
  const signedBy = createHash('sha256').update(signing.cert).digest('hex');
  const wanted = `${JSON.stringify({ names, signedBy })}\n`;
  const [issued, known] = await Promise.all([readText(issuedFile), readPair(directory, 'apiserver')]);
  if (issued === wanted && known && lasts(known, nowMs)) return known;

  const request = { commonName: 'stead-apiserver', names };
  const fresh = await issue(signing, request, validityFrom(nowMs, signing));
  await writePair(directory, 'apiserver', fresh);
  await writeWhole(issuedFile, wanted, 0o644);
  return fresh;
}

async function ensureClient(
  directory: string,
  { signing }: Authority,
  { group, name, user }: ClientRequest,
  nowMs: number,
): Promise<KeyPair> {
  const known = await readPair(directory, name);
  if (known && lasts(known, nowMs)) {
    const certificate = new X509Certificate(known.cert);
    const isOurs = certificate.checkIssued(new X509Certificate(signing.cert));
    if (isOurs && certificate.subject.split('\n').includes(`CN=${user}`)) return known;
  }
  const request = { commonName: user, organization: group };
  const fresh = await issue(signing, request, validityFrom(nowMs, signing));
  await writePair(directory, name, fresh);
  return fresh;
}

const lasts = (pair: KeyPair, nowMs: number): boolean => endOf(pair.cert) - nowMs > RENEW_BEFORE_MS;

const validityFrom = (nowMs: number, signing: KeyPair) => ({
  fromMs: nowMs - DAY_MS,
  untilMs: Math.min(nowMs + LIFETIME_MS, endOf(signing.cert)),
});
