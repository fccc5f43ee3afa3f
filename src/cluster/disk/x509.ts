// Makes certificates: authorities, certificates signed by them, and the cross-signing of one authority by another. All of it is
// ECDSA P-256 and PEM. When something is to be made, and where it is kept, is not known here.
import { webcrypto } from 'node:crypto';
import type * as X509 from '@peculiar/x509';

/** A certificate and its private key, PEM. */
export interface KeyPair {
  cert: string;
  key: string;
}

/** When a certificate is valid, ms since the epoch. */
export interface Validity {
  fromMs: number;
  untilMs: number;
}

export interface LeafRequest {
  commonName: string;
  organization?: string | undefined;
  /** With names it is a server's certificate, without a client's. */
  names?: readonly string[];
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Loaded only when something must be made: an ordinary start does without it. */
async function library(): Promise<typeof X509> {
  // The library's dependency injection wants this polyfill in place before it loads.
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

/** A new private key, PEM. */
export async function makeKey(): Promise<string> {
  return privateKeyPem((await generateKeys()).privateKey);
}

/** A certificate authority that signs itself. */
export async function makeAuthority(commonName: string, validity: Validity): Promise<KeyPair> {
  const x509 = await library();
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...base(validity),
    name: `CN=${commonName}`,
    keys,
    extensions: await authorityExtensions(x509, keys.publicKey),
  });
  return { cert: pemOf(certificate), key: await privateKeyPem(keys.privateKey) };
}

/** The authority `of`, signed by another: who trusts only that one trusts what `of` signs, too. */
export async function crossSign(by: KeyPair, of: string, validity: Validity): Promise<string> {
  const x509 = await library();
  const [issuer, subject] = [new x509.X509Certificate(by.cert), new x509.X509Certificate(of)];
  const publicKey = await subject.publicKey.export();
  const certificate = await x509.X509CertificateGenerator.create({
    ...base(validity),
    subject: subject.subject,
    issuer: issuer.subject,
    publicKey,
    signingKey: await signingKey(by.key),
    extensions: [
      ...(await authorityExtensions(x509, publicKey)),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return pemOf(certificate);
}

/** A certificate for a server or a client, with a new key. */
export async function issue(by: KeyPair, request: LeafRequest, validity: Validity): Promise<KeyPair> {
  const x509 = await library();
  const { commonName, names = [], organization } = request;
  const keys = await generateKeys();
  const issuer = new x509.X509Certificate(by.cert);
  const usage = request.names ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
  const alternatives = names.map((name) => ({
    type: /^[\d.]+$|:/.test(name) ? ('ip' as const) : ('dns' as const),
    value: name,
  }));
  const certificate = await x509.X509CertificateGenerator.create({
    ...base(validity),
    subject: [...(organization ? [{ O: [organization] }] : []), { CN: [commonName] }],
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await signingKey(by.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...(alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternatives)] : []),
    ],
  });
  return { cert: pemOf(certificate), key: await privateKeyPem(keys.privateKey) };
}

function base({ fromMs, untilMs }: Validity) {
  return {
    serialNumber: serialNumber(),
    notBefore: new Date(fromMs),
    notAfter: new Date(untilMs),
    signingAlgorithm: ALGORITHM,
  };
}

async function authorityExtensions(
  x509: typeof X509,
  publicKey: webcrypto.CryptoKey,
): Promise<X509.Extension[]> {
  const { cRLSign, digitalSignature, keyCertSign } = x509.KeyUsageFlags;
  return [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(keyCertSign | cRLSign | digitalSignature, true),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
  ];
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function signingKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}

const pemOf = (certificate: X509.X509Certificate): string => `${certificate.toString('pem')}\n`;

function serialNumber(): string {
  // Positive and never zero, as RFC 5280 wants it.
  return `4${Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString('hex')}0`;
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}
