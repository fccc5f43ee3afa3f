// JSON Web Tokens signed with ES256 (RFC 7515, 7518, 7519): made, and read back if the signature is ours. What the
// claims mean is not known here.
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { isStruct } from '../../base/struct.ts';

export type Claims = Record<string, unknown>;

/** Longer ones are nothing that was signed here. */
const MAX_TOKEN_LENGTH = 16 * 1024;

export interface JwtKey {
  sign(claims: Claims): string;
  /** The claims; undefined for a token that is malformed or signed by somebody else. */
  verify(token: string): Claims | undefined;
  /** The public key, for others to verify with. */
  publicJwk(): JsonWebKey & { kid: string; use: string; alg: string };
}

/** A new P-256 private key. */
export function generateJwtKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/**
 * @param privateKey on the curve P-256.
 * @throws Error for any other: ES256 is defined for that curve alone.
 */
export function jwtKey(privateKey: KeyObject): JwtKey {
  const { asymmetricKeyDetails: { namedCurve } = {}, asymmetricKeyType: type } = privateKey;
  if (namedCurve !== 'prime256v1') {
    const found = namedCurve === undefined ? type : `${type} on ${namedCurve}`;
    throw new Error(`the key that signs tokens is of type ${found}: it must be an EC key (P-256)`);
  }
  const publicKey = createPublicKey(privateKey);
  const kid = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  const header = encode({ alg: 'ES256', kid });
  return {
    sign(claims) {
      const signed = `${header}.${encode(claims)}`;
      const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `${signed}.${signature.toString('base64url')}`;
    },
    verify(token) {
      if (token.length > MAX_TOKEN_LENGTH) return undefined;
      const [head, payload, signature, ...more] = token.split('.');
      // One key and one algorithm: the header has no say in how its token is verified.
      if (head !== header || !payload || !signature || more.length > 0) return undefined;
      const valid = verify(
        'sha256',
        Buffer.from(`${head}.${payload}`),
        { key: publicKey, dsaEncoding: 'ieee-p1363' },
        Buffer.from(signature, 'base64url'),
      );
      return valid ? decode(payload) : undefined;
    },
    publicJwk: () => ({ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' }),
  };
}

function encode(value: Claims): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return isStruct(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
