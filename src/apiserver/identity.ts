// What this server knows of identities and rights, in one piece: the tokens of service accounts, the authorizers in
// their order, the guard against escalation, and the requests that ask about any of it.
import type { KeyObject } from 'node:crypto';
import type { AdmissionPlugin } from './admission/admission.ts';
import type { Pipeline } from './admission/pipeline.ts';
import { roleEscalation } from './admission/role-escalation.ts';
import type { TokenAuthenticator } from './authn/authenticate.ts';
import { discoveryDocuments, type IdentityDocuments } from './authn/issuer-discovery.ts';
import { generateJwtKey, jwtKey } from './authn/jwt.ts';
import { reviewSelf, reviewToken } from './authn/reviews.ts';
import { ServiceAccountTokens } from './authn/service-account-tokens.ts';
import { requestToken } from './authn/token-request.ts';
import { type Authorizer, anyOf, authorizeMasters } from './authz/authorize.ts';
import { nodeAuthorizer } from './authz/node.ts';
import { rbacAuthorizer } from './authz/rbac.ts';
import { reviewAccess, reviewSelfAccess, reviewSelfRules } from './authz/reviews.ts';
import { RuleIndex } from './authz/rule-index.ts';
import type { Registry } from './registry.ts';
import type { ApiRequest, ApiResult } from './request.ts';

/** Who signs tokens, as they say; also what they are for when nothing else is asked. */
const ISSUER = 'https://kubernetes.default.svc.cluster.local';

export interface Identity {
  authenticateToken: TokenAuthenticator;
  authorize: Authorizer;
  guard: AdmissionPlugin;
  /** What the issuer's discovery answers, by path. */
  documents: IdentityDocuments;
  /** Answers a request about identities or rights; undefined for every other. @param pipeline of the server. */
  answer(pipeline: Pipeline, request: ApiRequest): Promise<ApiResult> | undefined;
}

/** @param signingKey an EC key on P-256; without one, tokens end with this server. */
export function createIdentity(registry: Registry, signingKey: KeyObject = generateJwtKey()): Identity {
  const key = jwtKey(signingKey);
  const tokens = new ServiceAccountTokens({ key, issuer: ISSUER, audiences: [ISSUER] }, registry);
  const index = new RuleIndex(registry);
  const authorize = anyOf([authorizeMasters, nodeAuthorizer(registry), rbacAuthorizer(index)]);
  type Answer = (request: ApiRequest, pipeline: Pipeline) => Promise<ApiResult>;
  const answers: Readonly<Record<string, Answer>> = {
    '/serviceaccounts/token': (request, pipeline) => requestToken(pipeline, tokens, request),
    'authentication.k8s.io/tokenreviews': (request) => reviewToken(registry, tokens, request),
    'authentication.k8s.io/selfsubjectreviews': async (request) => reviewSelf(registry, request),
    'authorization.k8s.io/subjectaccessreviews': (request) => reviewAccess(registry, authorize, request),
    'authorization.k8s.io/localsubjectaccessreviews': (request) => reviewAccess(registry, authorize, request),
    'authorization.k8s.io/selfsubjectaccessreviews': (request) =>
      reviewSelfAccess(registry, authorize, request),
    'authorization.k8s.io/selfsubjectrulesreviews': (request) => reviewSelfRules(registry, index, request),
  };
  return {
    async authenticateToken(token) {
      const verdict = await tokens.check(token);
      return 'user' in verdict ? verdict.user : undefined;
    },
    authorize,
    guard: roleEscalation(index, authorize),
    documents: discoveryDocuments(ISSUER, key),
    answer(pipeline, request) {
      const { resource, subresource, verb } = request;
      if (verb !== 'create') return undefined;
      const path = `${resource.group}/${resource.plural}${subresource ? `/${subresource}` : ''}`;
      return answers[path]?.(request, pipeline);
    },
  };
}
