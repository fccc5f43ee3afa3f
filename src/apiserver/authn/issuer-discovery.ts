// How others find the key that the tokens of service accounts are signed with (OpenID Connect discovery). Follows
// pkg/serviceaccount/openidmetadata.go.
import type { JwtKey } from './jwt.ts';

const JWKS_PATH = '/openid/v1/jwks';

export interface IdentityDocument {
  contentType: string;
  content: object;
}

/** By path. */
export type IdentityDocuments = Readonly<Record<string, IdentityDocument>>;

export function discoveryDocuments(issuer: string, key: JwtKey): IdentityDocuments {
  return {
    '/.well-known/openid-configuration': {
      contentType: 'application/json',
      content: {
        issuer,
        jwks_uri: `${issuer}${JWKS_PATH}`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['ES256'],
      },
    },
    [JWKS_PATH]: { contentType: 'application/jwk-set+json', content: { keys: [key.publicJwk()] } },
  };
}
