// Acting as somebody else: the Impersonate- headers (`kubectl --as`, `--as-group`, `--as-uid`, `--as-user-extra`), for
// whoever may `impersonate` each of them. Follows apiserver pkg/endpoints/filters/impersonation.
import { badRequest } from '../../api/errors.ts';
import { present } from '../../base/present.ts';
import { type Authorizer, type ResourceAttributes, refusal } from '../authz/authorize.ts';
import { headerText } from '../header-text.ts';
import type { User } from '../request.ts';
import { ANONYMOUS, AUTHENTICATED } from './authenticate.ts';
import { accountGroups } from './service-account-tokens.ts';

const AUTHENTICATION_GROUP = 'authentication.k8s.io';
const PREFIX = 'impersonate-';
const EXTRA_PREFIX = 'extra-';
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/** What the headers ask for. */
interface Wanted {
  name: string;
  uid: string;
  groups: string[];
  /** Names of attributes, decoded, and their values. */
  extra: Map<string, string[]>;
}

/**
 * The user that the request is made as.
 * @param rawHeaders names and values by turns, each line by itself, a character for each byte.
 * @throws Forbidden when the user may not act as the other one, BadRequest when no user is named.
 */
export async function impersonate(
  user: User,
  rawHeaders: readonly string[],
  authorize: Authorizer,
): Promise<User> {
  const { name, uid, groups: wantedGroups, extra } = read(rawHeaders);
  if (!name) {
    if (!uid && wantedGroups.length === 0 && extra.size === 0) return user;
    throw badRequest(
      'groups, a uid or extra attributes are impersonated without a user: set the header Impersonate-User as well',
    );
  }
  const account = SERVICE_ACCOUNT.exec(name);
  const asked = [
    account ? named('serviceaccounts', account[2], account[1]) : named('users', name),
    ...wantedGroups.map((group) => named('groups', group)),
    ...[...extra].flatMap(([key, values]) => values.map((value) => attribute(key, value))),
    ...(uid ? [named('uids', uid, undefined, AUTHENTICATION_GROUP)] : []),
  ];
  for (const attributes of asked) {
    const { allowed, reason } = await authorize(user, attributes);
    if (!allowed) throw refusal(user, attributes, reason);
  }
  const groups = wantedGroups.length === 0 && account ? accountGroups(account[1] ?? '') : wantedGroups;
  return present({
    name,
    groups: withStanding(name, groups),
    uid: uid || undefined,
    extra: extra.size > 0 ? Object.fromEntries(extra) : undefined,
  });
}

function read(rawHeaders: readonly string[]): Wanted {
  const wanted: Wanted = { name: '', uid: '', groups: [], extra: new Map() };
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const header = rawHeaders[index]?.toLowerCase() ?? '';
    if (!header.startsWith(PREFIX)) continue;
    const value = headerText(rawHeaders[index + 1] ?? '');
    const what = header.slice(PREFIX.length);
    if (what === 'user') wanted.name ||= value;
    else if (what === 'uid') wanted.uid ||= value;
    else if (what === 'group') wanted.groups.push(value);
    else if (what.startsWith(EXTRA_PREFIX)) {
      const key = decoded(what.slice(EXTRA_PREFIX.length));
      wanted.extra.set(key, [...(wanted.extra.get(key) ?? []), value]);
    }
  }
  return wanted;
}

/** What a header's name cannot hold stands in it percent-encoded; what is no such encoding is taken as it is. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

function named(plural: string, name: string | undefined, namespace?: string, group = ''): ResourceAttributes {
  return { resource: { group, plural }, verb: 'impersonate', subresource: undefined, namespace, name };
}

/** Each value of each attribute is asked about by itself, as `userextras/KEY`. */
function attribute(key: string, value: string): ResourceAttributes {
  return { ...named('userextras', value, undefined, AUTHENTICATION_GROUP), subresource: key };
}

/** Whoever is named is known, but for system:anonymous. */
function withStanding(name: string, groups: readonly string[]): string[] {
  const isAnonymous = name === ANONYMOUS.name;
  const standing = isAnonymous ? ANONYMOUS.groups : [AUTHENTICATED];
  const stands = groups.some(
    (group) => ANONYMOUS.groups.includes(group) || (!isAnonymous && group === AUTHENTICATED),
  );
  return stands ? [...groups] : [...groups, ...standing];
}
