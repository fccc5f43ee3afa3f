// Who is asking: a client certificate of our authority, a bearer token, or nobody (system:anonymous).
import { unauthorized } from '../../api/errors.ts';
import type { User } from '../request.ts';

/** Knows the user of a bearer token; undefined for a token that is not valid. */
export type TokenAuthenticator = (token: string) => User | undefined | Promise<User | undefined>;

/** The verified client certificate's subject. */
export interface CertificateSubject {
  CN?: string | string[];
  O?: string | string[];
}

/** A client's certificate as the connection has it: whom it names, or that it does not verify. */
export type ClientCertificate = CertificateSubject | 'unverified';

/** Whoever has shown valid credentials is in it. */
export const AUTHENTICATED = 'system:authenticated';

export const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/**
 * @param certificate of the connection, if there is one: of one that does not end at our authority, or is not valid
 * now, nobody is believed; a token that is valid counts all the same.
 * @param authorization the header, if there is one.
 * @throws Unauthorized for credentials that are not valid; without any, the user is anonymous.
 */
export async function authenticate(
  certificate: ClientCertificate | undefined,
  authorization: string | undefined,
  authenticateToken: TokenAuthenticator,
): Promise<User> {
  const isUnverified = certificate === 'unverified';
  const fromCertificate = certificate && !isUnverified && knownUser(certificate);
  if (fromCertificate) return fromCertificate;
  const token = authorization?.match(/^Bearer +(\S+) *$/i)?.[1];
  if (!token) {
    if (authorization || isUnverified) throw unauthorized();
    return ANONYMOUS;
  }
  const user = await authenticateToken(token);
  if (!user) throw unauthorized();
  return withGroup(user);
}

/** A connection's certificate names the same user in every request. */
function knownUser(certificate: CertificateSubject): User | undefined {
  let user = users.get(certificate);
  if (!user) {
    user = userOfCertificate(certificate);
    if (user) users.set(certificate, user);
  }
  return user;
}

const users = new WeakMap<CertificateSubject, User>();

/** The common name is the user, the organizations are the groups. */
function userOfCertificate({ CN, O }: CertificateSubject): User | undefined {
  const name = Array.isArray(CN) ? CN[0] : CN;
  if (!name) return undefined;
  return withGroup({ name, groups: O === undefined ? [] : Array.isArray(O) ? O : [O] });
}

function withGroup(user: User): User {
  return user.groups.includes(AUTHENTICATED) ? user : { ...user, groups: [...user.groups, AUTHENTICATED] };
}
