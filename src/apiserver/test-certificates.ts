// A certificate authority, a server certificate for 127.0.0.1 and client certificates, made for one test.
// The x509 package needs this polyfill loaded before it.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

export interface KeyPair {
  /** PEM. */
  key: string;
  cert: string;
}

export interface TestCertificates {
  ca: string;
  server: KeyPair;
  /** @param notAfter when it is no longer valid; by default an hour from now. */
  client(commonName: string, organization?: string, notAfter?: Date): Promise<KeyPair>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const VALID_MS = 3_600_000;

export async function makeTestCertificates(): Promise<TestCertificates> {
  x509.cryptoProvider.set(webcrypto as never);
  const caKeys = await generateKeys();
  const notBefore = new Date(Date.now() - VALID_MS);
  const hourAhead = new Date(Date.now() + VALID_MS);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=test-ca',
    keys: caKeys as never,
    notBefore,
    notAfter: hourAhead,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  let serial = 1;
  const issue = async (
    subject: string,
    extensions: x509.Extension[],
    notAfter = hourAhead,
  ): Promise<KeyPair> => {
    const keys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: String(++serial).padStart(2, '0'),
      subject,
      issuer: ca.subject,
      publicKey: keys.publicKey as never,
      signingKey: caKeys.privateKey as never,
      notBefore,
      notAfter,
      signingAlgorithm: ALGORITHM,
      extensions,
    });
    const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    return { key: x509.PemConverter.encode(der, 'PRIVATE KEY'), cert: certificate.toString('pem') };
  };
  return {
    ca: ca.toString('pem'),
    server: await issue('CN=kube-apiserver', [
      new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }]),
    ]),
    client: (commonName, organization, notAfter) =>
      issue(
        `CN=${commonName}${organization ? `,O=${organization}` : ''}`,
        [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
        notAfter,
      ),
  };
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  return keys as webcrypto.CryptoKeyPair;
}
