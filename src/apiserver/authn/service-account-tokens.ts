// The tokens of service accounts: what they say, and whether they still hold. A token ends with its time, with its
// account, and with the pod, secret or node that it is bound to. Follows pkg/serviceaccount/{claims,jwt}.go.
import type { Pod, ServiceAccount } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { present } from '../../base/present.ts';
import type { Registry } from '../registry.ts';
import type { User } from '../request.ts';
import type { Claims, JwtKey } from './jwt.ts';

/** An object as a token names it. */
export interface Reference {
  name: string;
  uid: string;
}

/** What a token is bound to: at most one of them, but for a pod, which comes with its node. */
export interface Binding {
  pod?: Reference;
  secret?: Reference;
  node?: Reference;
}

/** The claim `kubernetes.io`. */
interface PrivateClaims extends Binding {
  namespace: string;
  serviceaccount: Reference;
}

export interface ServiceAccountClaims {
  iss: string;
  sub: string;
  aud: string[];
  exp: number;
  nbf: number;
  iat: number;
  jti: string;
  'kubernetes.io': PrivateClaims;
}

/** What holds for every token of this server. */
export interface TokenAuthority {
  key: JwtKey;
  issuer: string;
  /** What a token must be for to be good here; the first is given when none is asked for. */
  audiences: readonly string[];
}

/** Tokens whose signature has been found good; verifying one costs as much as a small request. */
const VERIFIED_LIMIT = 1_000;
/** A bound object on its way out may still finish what it does. */
const DELETION_LEEWAY_MS = 60_000;
const EXTRA = 'authentication.kubernetes.io';
const BOUND: ReadonlyArray<readonly [keyof Binding, string]> = [
  ['pod', 'pods'],
  ['secret', 'secrets'],
  ['node', 'nodes'],
];

export type Verdict = { user: User; audiences: string[] } | { error: string };

export class ServiceAccountTokens {
  readonly authority: TokenAuthority;
  readonly #registry: Registry;
  readonly #verified = new Map<string, ServiceAccountClaims>();

  constructor(authority: TokenAuthority, registry: Registry) {
    this.authority = authority;
    this.#registry = registry;
  }

  /**
   * Signs a token.
   * @param seconds how long it is good for.
   * @returns the token and when it ends, in ms since the epoch.
   */
  issue(
    account: Stored<ServiceAccount>,
    audiences: readonly string[],
    seconds: number,
    binding: Binding,
  ): { token: string; expiresAtMs: number } {
    const { namespace = '', name, uid } = account.metadata;
    const now = Math.floor(this.#registry.clock.now() / 1000);
    const claims: ServiceAccountClaims = {
      aud: [...audiences],
      exp: now + seconds,
      iat: now,
      iss: this.authority.issuer,
      jti: this.#registry.random.uuid(),
      'kubernetes.io': { namespace, ...binding, serviceaccount: { name, uid } },
      nbf: now,
      sub: accountUser(namespace, name),
    };
    return { token: this.authority.key.sign({ ...claims }), expiresAtMs: claims.exp * 1000 };
  }

  /**
   * Whose token it is, or why it is none.
   * @param audiences it must be for one of them.
   */
  async check(token: string, audiences: readonly string[] = this.authority.audiences): Promise<Verdict> {
    const claims = this.#claims(token);
    if (!claims) return { error: 'invalid bearer token' };
    const now = Math.floor(this.#registry.clock.now() / 1000);
    if (now >= claims.exp) return { error: 'invalid bearer token, token has expired' };
    if (now < claims.nbf) return { error: 'invalid bearer token, token is not valid yet' };
    const common = claims.aud.filter((audience) => audiences.includes(audience));
    if (common.length === 0) {
      return {
        error: `invalid bearer token, token audiences ${JSON.stringify(claims.aud)} is invalid for the target audiences ${JSON.stringify(audiences)}`,
      };
    }
    const error = await this.#ended(claims['kubernetes.io']);
    return error ? { error: `invalid bearer token, ${error}` } : { user: userOf(claims), audiences: common };
  }

  #claims(token: string): ServiceAccountClaims | undefined {
    const known = this.#verified.get(token);
    if (known) return known;
    const claims = this.authority.key.verify(token);
    if (!claims || !isOurs(claims, this.authority.issuer)) return undefined;
    if (this.#verified.size >= VERIFIED_LIMIT) {
      const [oldest = ''] = this.#verified.keys();
      this.#verified.delete(oldest);
    }
    this.#verified.set(token, claims);
    return claims;
  }

  /** Why the token has ended before its time. */
  async #ended(claims: PrivateClaims): Promise<string | undefined> {
    const { namespace, serviceaccount } = claims;
    if (!(await this.#lives('serviceaccounts', namespace, serviceaccount))) {
      return `service account ${namespace}/${serviceaccount.name} has been deleted`;
    }
    for (const [kind, plural] of BOUND) {
      const bound = claims[kind];
      // A pod vouches for its node.
      if (!bound || (kind === 'node' && claims.pod)) continue;
      const place = kind === 'node' ? undefined : namespace;
      if (!(await this.#lives(plural, place, bound))) {
        return `service account token has been invalidated: ${kind} ${bound.name} is gone`;
      }
    }
    return undefined;
  }

  async #lives(plural: string, namespace: string | undefined, { name, uid }: Reference): Promise<boolean> {
    const resource = this.#registry.resource('', plural);
    const found = resource && (await this.#registry.find(resource, { namespace, name }));
    if (!found || found.metadata.uid !== uid) return false;
    const { deletionTimestamp } = found.metadata;
    if (deletionTimestamp === undefined) return true;
    return this.#registry.clock.now() < Date.parse(deletionTimestamp) + DELETION_LEEWAY_MS;
  }
}

function accountUser(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** The groups that a service account is in. */
export function accountGroups(namespace: string): string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
}

/** The pod, and its node once it has one. */
export function bindingOfPod(pod: Stored<Pod>, node: Stored | undefined): Binding {
  const { name, uid } = pod.metadata;
  const { metadata } = node ?? {};
  return present({ pod: { name, uid }, node: metadata && { name: metadata.name, uid: metadata.uid } });
}

function userOf({
  sub,
  jti,
  'kubernetes.io': { namespace, serviceaccount, pod, node },
}: ServiceAccountClaims): User {
  const extra: Record<string, string[]> = { [`${EXTRA}/credential-id`]: [`JTI=${jti}`] };
  if (node) {
    extra[`${EXTRA}/node-name`] = [node.name];
    extra[`${EXTRA}/node-uid`] = [node.uid];
  }
  if (pod) {
    extra[`${EXTRA}/pod-name`] = [pod.name];
    extra[`${EXTRA}/pod-uid`] = [pod.uid];
  }
  return { name: sub, uid: serviceaccount.uid, groups: accountGroups(namespace), extra };
}

/** Only this server signs with its key, and so it has the claims that were given to it. */
function isOurs(claims: Claims, issuer: string): claims is Claims & ServiceAccountClaims {
  const { iss, sub, aud, exp, nbf, 'kubernetes.io': own } = claims;
  return (
    iss === issuer &&
    typeof sub === 'string' &&
    Array.isArray(aud) &&
    typeof exp === 'number' &&
    typeof nbf === 'number' &&
    typeof own === 'object' &&
    own !== null
  );
}
