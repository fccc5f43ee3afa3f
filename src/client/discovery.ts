// What an API says that it serves, as definitions of the kinds: for who reads and writes objects as they are, and decides
// nothing by their fields. The form is the aggregated one (apidiscovery.k8s.io/v2), which Kubernetes has from 1.30 on.
import type { ResourceDefinition } from '../api/resource.ts';
import { ALL_VERBS } from '../api/resources/shared/verbs.ts';
import { isStruct } from '../base/struct.ts';

/** The media type to ask /api and /apis for. */
export const DISCOVERY = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

interface GroupDiscovery {
  metadata: { name?: string };
  versions?: { version: string; resources?: ResourceDiscovery[] }[];
}

interface ResourceDiscovery {
  resource: string;
  responseKind?: { kind: string };
  scope: 'Namespaced' | 'Cluster';
  singularResource: string;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
  subresources?: { subresource: string }[];
}

/**
 * The kinds that an answer names, in its order. They have no fields: whoever needs those has a definition of its own.
 * @throws Error for an answer in another form.
 */
export function resourcesOf(answer: unknown): ResourceDefinition[] {
  return groupsOf(answer).flatMap(({ metadata: { name: group = '' }, versions = [] }) =>
    versions.flatMap(({ version, resources = [] }) =>
      resources.map((resource) => definitionOf(group, version, resource)),
    ),
  );
}

function groupsOf(answer: unknown): GroupDiscovery[] {
  // The API's own word for what it is.
  if (isStruct(answer) && answer.kind === 'APIGroupDiscoveryList') return answer.items as GroupDiscovery[];
  throw new Error('the API does not say at once what it serves: it must be of Kubernetes 1.30 or newer');
}

function definitionOf(group: string, version: string, resource: ResourceDiscovery): ResourceDefinition {
  const { resource: plural, responseKind, subresources = [], shortNames = [], categories = [] } = resource;
  const kind = responseKind?.kind ?? '';
  return {
    group,
    version,
    kind,
    plural,
    singular: resource.singularResource,
    shortNames,
    categories,
    namespaced: resource.scope === 'Namespaced',
    schema: kind,
    types: [],
    verbs: ALL_VERBS.filter((verb) => resource.verbs.includes(verb)),
    hasStatus: subresources.some(({ subresource }) => subresource === 'status'),
    columns: [],
    strategy: {},
  };
}
