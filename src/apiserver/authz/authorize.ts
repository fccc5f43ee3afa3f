// What a user may do: the question that is asked of an authorizer, how authorizers are joined, and the refusal's
// wording. Follows apiserver pkg/endpoints/filters/authorization.go and handlers/responsewriters/errors.go.
import { forbidden, StatusError } from '../../api/errors.ts';
import type { User } from '../request.ts';

export interface ResourceAttributes {
  /** Of the resource as the URL names it; `*` asks about all of them. */
  resource: { group: string; plural: string };
  verb: string;
  subresource: string | undefined;
  namespace: string | undefined;
  name: string | undefined;
  /** Of a list or a watch, as asked. */
  fieldSelector?: string | undefined;
}

export interface PathAttributes {
  path: string;
  verb: string;
}

export type Attributes = ResourceAttributes | PathAttributes;

export interface Decision {
  allowed: boolean;
  /** Appended to the refusal, and told to whoever asks by a review. */
  reason?: string;
}

export type Authorizer = (user: User, attributes: Attributes) => Decision | Promise<Decision>;

/** Administrators, whom nothing and nobody can lock out, may do everything. */
export const MASTERS = 'system:masters';

/** Allows members of system:masters everything, and everybody else nothing. */
export const authorizeMasters: Authorizer = (user) => ({ allowed: user.groups.includes(MASTERS) });

/** Allows what one of the authorizers allows; asks them in order. Its reason joins theirs. */
export function anyOf(authorizers: readonly Authorizer[]): Authorizer {
  return async (user, attributes) => {
    const reasons: string[] = [];
    for (const authorize of authorizers) {
      const decision = await authorize(user, attributes);
      if (decision.allowed) return decision;
      if (decision.reason) reasons.push(decision.reason);
    }
    return { allowed: false, reason: reasons.join('\n') };
  };
}

/** The refusal, in upstream's words. */
export function refusal(user: User, attributes: Attributes, reason = ''): StatusError {
  const tail = reason ? `: ${reason}` : '';
  if ('path' in attributes) {
    return new StatusError({
      message: `forbidden: User "${user.name}" cannot ${attributes.verb} path "${attributes.path}"${tail}`,
      reason: 'Forbidden',
      details: {},
      code: 403,
    });
  }
  const { resource, subresource, verb, namespace, name } = attributes;
  const full = subresource ? `${resource.plural}/${subresource}` : resource.plural;
  const where = namespace ? `in the namespace "${namespace}"` : 'at the cluster scope';
  const why = `User "${user.name}" cannot ${verb} resource "${full}" in API group "${resource.group}" ${where}${tail}`;
  return forbidden({ ...resource, kind: resource.plural }, name ?? '', why);
}

/** Throws the refusal if it is not allowed. @param decided hears of the decision. */
export async function authorizeOrThrow(
  authorize: Authorizer,
  user: User,
  attributes: Attributes,
  decided?: (decision: Decision) => void,
): Promise<void> {
  const decision = await authorize(user, attributes);
  decided?.(decision);
  if (!decision.allowed) throw refusal(user, attributes, decision.reason);
}

/** What is asked, as upstream sees it: a namespace lies in itself, and a list of one name is about that object. */
export function attributesOf(
  { resource, verb, subresource, namespace, name }: Omit<ResourceAttributes, 'fieldSelector'>,
  fieldSelector: string | undefined,
): ResourceAttributes {
  const isNamespace = resource.group === '' && resource.plural === 'namespaces';
  const terms = fieldSelector?.split(',') ?? [];
  const selected = terms.map((term) => /^metadata\.name==?([^!=]+)$/.exec(term)?.[1]).find(Boolean);
  return {
    resource,
    verb,
    subresource,
    namespace: isNamespace ? name : namespace,
    name: name ?? (verb === 'create' ? undefined : selected),
    fieldSelector,
  };
}
