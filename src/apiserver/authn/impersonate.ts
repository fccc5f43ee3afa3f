// Acting as somebody else: the Impersonate- headers (`kubectl --as`), for whoever may `impersonate` that user, group
// or service account. Follows apiserver pkg/endpoints/filters/impersonation. Extra attributes decide nothing here and
// are left out.
import { badRequest } from '../../api/errors.ts';
import { type Attributes, type Authorizer, refusal } from '../authz/authorize.ts';
import type { User } from '../request.ts';
import { ANONYMOUS, AUTHENTICATED } from './authenticate.ts';
import { accountGroups } from './service-account-tokens.ts';

const AUTHENTICATION_GROUP = 'authentication.k8s.io';
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/**
 * The user that the request is made as.
 * @param header reads a header by its name in lower case.
 * @throws Forbidden when the user may not act as the other one.
 */
export async function impersonate(
  user: User,
  header: (name: string) => string | undefined,
  authorize: Authorizer,
): Promise<User> {
  const name = header('impersonate-user');
  const uid = header('impersonate-uid');
  const wantedGroups = (header('impersonate-group') ?? '')
    .split(',')
    .map((group) => group.trim())
    .filter((group) => group !== '');
  if (!name) {
    if (!uid && wantedGroups.length === 0) return user;
    throw badRequest(
      'groups or a uid are impersonated without a user: set the header Impersonate-User as well',
    );
  }
  const account = SERVICE_ACCOUNT.exec(name);
  const asked = [
    account ? named('serviceaccounts', account[2], account[1]) : named('users', name),
    ...wantedGroups.map((group) => named('groups', group)),
    ...(uid ? [named('uids', uid, undefined, AUTHENTICATION_GROUP)] : []),
  ];
  for (const attributes of asked) {
    const { allowed, reason } = await authorize(user, attributes);
    if (!allowed) throw refusal(user, attributes, reason);
  }
  const groups = wantedGroups.length === 0 && account ? accountGroups(account[1] ?? '') : wantedGroups;
  return { name, groups: withStanding(name, groups), ...(uid ? { uid } : {}) };
}

function named(plural: string, name: string | undefined, namespace?: string, group = ''): Attributes {
  return { resource: { group, plural }, verb: 'impersonate', subresource: undefined, namespace, name };
}

/** Whoever is named is known, but for system:anonymous. */
function withStanding(name: string, groups: readonly string[]): string[] {
  const standing = name === ANONYMOUS.name ? ANONYMOUS.groups : [AUTHENTICATED];
  const stands = groups.some((group) => group === AUTHENTICATED || ANONYMOUS.groups.includes(group));
  return stands ? [...groups] : [...groups, ...standing];
}
