// The cluster's own certificate authority and what it signs: the API server's certificate and client certificates.
// Everything is ECDSA P-256, made once and kept in the data directory; certificates near their end are made again.
import { webcrypto } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as X509 from '@peculiar/x509';

/** A certificate and its private key, PEM. */
export interface KeyPair {
  cert: string;
  key: string;
}

export interface Certificates {
  /** The authority's certificate, PEM: what clients trust. */
  ca: string;
  server: KeyPair;
  /** Client certificate of group system:masters. */
  admin: KeyPair;
  /** Signs ServiceAccount tokens; never renewed, since tokens would end with it. PEM. */
  serviceAccountKey: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const AUTHORITY_LIFETIME_MS = 10 * 365 * DAY_MS;
const LEAF_LIFETIME_MS = 365 * DAY_MS;
/** A leaf is made again when it has less than this to live. */
const RENEW_BEFORE_MS = 60 * DAY_MS;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/**
 * Reads the certificates from a directory, making what is missing, about to expire, or not valid for the names.
 * @param names what the API server is called: DNS names and IP addresses.
 * @param nowMs ms since the epoch.
 */
export async function ensureCertificates(
  directory: string,
  names: readonly string[],
  nowMs: number,
): Promise<Certificates> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const serviceAccountKey = await ensureServiceAccountKey(directory);
  const wanted = JSON.stringify({ names });
  const known = await readCertificates(directory);
  if (known && known.wanted === wanted && nowMs < known.renewAtMs)
    return { ...known.certificates, serviceAccountKey };

  const authority = await loadAuthority(directory, nowMs);
  const server = await issue(authority, nowMs, { commonName: 'stead-apiserver', names });
  const admin = await issue(authority, nowMs, { commonName: 'stead-admin', organization: 'system:masters' });
  await writePair(directory, 'apiserver', server);
  await writePair(directory, 'admin', admin);
  const renewAtMs = nowMs + LEAF_LIFETIME_MS - RENEW_BEFORE_MS;
  await writeFile(join(directory, 'issued.json'), `${JSON.stringify({ wanted, renewAtMs })}\n`);
  return { ca: authority.pem, server, admin, serviceAccountKey };
}

async function ensureServiceAccountKey(directory: string): Promise<string> {
  const file = join(directory, 'service-accounts.key');
  const known = await readFile(file, 'utf8').catch(() => '');
  if (known.includes('END PRIVATE KEY')) return known;
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const key = await privateKeyPem(keys.privateKey);
  await writeFile(file, key, { mode: 0o600 });
  return key;
}

async function readCertificates(directory: string) {
  try {
    const read = (name: string): Promise<string> => readFile(join(directory, name), 'utf8');
    const [issued, ca, serverCert, serverKey, adminCert, adminKey] = await Promise.all([
      read('issued.json'),
      read('ca.crt'),
      read('apiserver.crt'),
      read('apiserver.key'),
      read('admin.crt'),
      read('admin.key'),
    ]);
    const { wanted, renewAtMs }: { wanted: string; renewAtMs: number } = JSON.parse(issued);
    const certificates = {
      ca,
      server: { cert: serverCert, key: serverKey },
      admin: { cert: adminCert, key: adminKey },
    };
    return { wanted, renewAtMs, certificates };
  } catch {
    // Missing or half-written: everything but the authority's key can be made again.
    return undefined;
  }
}

interface Authority {
  pem: string;
  certificate: X509.X509Certificate;
  signingKey: webcrypto.CryptoKey;
}

/** Loaded only when something must be signed: parsing and issuing need it, an ordinary start does not. */
async function x509Library(): Promise<typeof X509> {
  // The library's dependency injection wants this polyfill in place before it loads.
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

async function loadAuthority(directory: string, nowMs: number): Promise<Authority> {
  const x509 = await x509Library();
  try {
    const pem = await readFile(join(directory, 'ca.crt'), 'utf8');
    const key = await readFile(join(directory, 'ca.key'), 'utf8');
    const signingKey = await webcrypto.subtle.importKey('pkcs8', derOf(key), ALGORITHM, false, ['sign']);
    return { pem, certificate: new x509.X509Certificate(pem), signingKey };
  } catch (error) {
    if (!isMissingFile(error)) throw error;
  }
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: 'CN=stead-ca',
    notBefore: new Date(nowMs - DAY_MS),
    notAfter: new Date(nowMs + AUTHORITY_LIFETIME_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const pem = `${certificate.toString('pem')}\n`;
  await writePair(directory, 'ca', { cert: pem, key: await privateKeyPem(keys.privateKey) });
  return { pem, certificate, signingKey: keys.privateKey };
}

interface LeafRequest {
  commonName: string;
  organization?: string;
  /** With names it is a server's certificate, without a client's. */
  names?: readonly string[];
}

async function issue(authority: Authority, nowMs: number, request: LeafRequest): Promise<KeyPair> {
  const x509 = await x509Library();
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const usage = request.names ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
  const alternatives = (request.names ?? []).map((name) => ({
    type: /^[\d.]+$|:/.test(name) ? ('ip' as const) : ('dns' as const),
    value: name,
  }));
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [...(request.organization ? [{ O: [request.organization] }] : []), { CN: [request.commonName] }],
    issuer: authority.certificate.subject,
    notBefore: new Date(nowMs - DAY_MS),
    notAfter: new Date(nowMs + LEAF_LIFETIME_MS),
    publicKey: keys.publicKey,
    signingKey: authority.signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate),
      ...(alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternatives)] : []),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await privateKeyPem(keys.privateKey) };
}

async function writePair(directory: string, name: string, pair: KeyPair): Promise<void> {
  await writeFile(join(directory, `${name}.key`), pair.key, { mode: 0o600 });
  await chmod(join(directory, `${name}.key`), 0o600);
  await writeFile(join(directory, `${name}.crt`), pair.cert);
}

function serialNumber(): string {
  // Positive and never zero, as RFC 5280 wants it.
  return `4${Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString('hex')}0`;
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
