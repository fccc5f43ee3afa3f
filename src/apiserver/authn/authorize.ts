// What a user may do: the question that is asked of an authorizer, the default answer, and the refusal's wording.
// Follows apiserver pkg/endpoints/filters/authorization.go and handlers/responsewriters/errors.go.
import { forbidden, StatusError } from '../../api/errors.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import type { User } from '../request.ts';

export type Attributes =
  | {
      resource: ResourceDefinition;
      verb: string;
      subresource: string | undefined;
      namespace: string | undefined;
      name: string | undefined;
    }
  | { path: string; verb: string };

export interface Decision {
  allowed: boolean;
  /** Appended to the refusal. */
  reason?: string;
}

export type Authorizer = (user: User, attributes: Attributes) => Decision | Promise<Decision>;

/** The components that run inside, by the names their certificates carry. */
const COMPONENTS = /^system:(kube-scheduler|kube-controller-manager|kube-proxy|node:.+|stead(:.+)?)$/;

/** Administrators and the system's own components may do everything, everybody else nothing. */
export const authorizeMasters: Authorizer = (user) => ({
  allowed: user.groups.includes('system:masters') || COMPONENTS.test(user.name),
});

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
  return forbidden(resource, name ?? '', why);
}
