// What is served, as clients discover it: group by group (APIGroupList, APIResourceList), or all at once
// (APIGroupDiscoveryList v2, which kubectl prefers).
import type { Verb } from '../../../api/resource.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../api/resource.ts';

interface Subresource {
  name: string;
  kind: string;
  group: string;
  version: string;
  verbs: readonly Verb[];
}

const OBJECT_VERBS: readonly Verb[] = ['get', 'patch', 'update'];

function subresourcesOf(resource: ResourceDefinition): Subresource[] {
  const { group, version, kind } = resource;
  const found: Subresource[] = Object.entries(resource.actions ?? {}).map(([name, action]) => ({
    name,
    kind: action.kind,
    group: action.group ?? group,
    version: action.version ?? version,
    verbs: action.verbs,
  }));
  if (resource.scale) {
    found.push({ name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: OBJECT_VERBS });
  }
  const parts = [...Object.keys(resource.parts ?? {}), ...(resource.hasStatus ? ['status'] : [])];
  for (const name of parts) found.push({ name, kind, group, version, verbs: OBJECT_VERBS });
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** `v1`, `v2beta1`: what comes after `v`, how far it has come, and its number. */
const VERSION = /^v(\d+)(?:(alpha|beta)(\d+))?$/;

/** Whether clients are to take a version before another: stable ones first, of those the newest (apimachinery pkg/version). */
function byPriority(a: string, b: string): number {
  const [left, right] = [VERSION.exec(a), VERSION.exec(b)];
  if (!left || !right) return Number(!left) - Number(!right) || (a < b ? -1 : 1);
  const rank = ([, major, stage = 'stable', minor = '0']: RegExpExecArray): number[] => [
    ['alpha', 'beta', 'stable'].indexOf(stage),
    Number(major),
    Number(minor),
  ];
  const [first, second] = [rank(left), rank(right)];
  const at = first.findIndex((part, index) => part !== second[index]);
  return at < 0 ? 0 : (second[at] ?? 0) - (first[at] ?? 0);
}

/** group → version → its resources, in the table's order; preferred versions first. */
function byGroup(resources: readonly ResourceDefinition[]): Map<string, Map<string, ResourceDefinition[]>> {
  const groups = new Map<string, Map<string, ResourceDefinition[]>>();
  for (const resource of resources) {
    const versions = groups.get(resource.group) ?? new Map<string, ResourceDefinition[]>();
    groups.set(resource.group, versions);
    versions.set(resource.version, [...(versions.get(resource.version) ?? []), resource]);
  }
  for (const [group, versions] of groups) {
    groups.set(group, new Map([...versions].sort(([a], [b]) => byPriority(a, b))));
  }
  return groups;
}

/** GET /api. */
export function apiVersions(serverAddress: string): object {
  const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress }];
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs };
}

/** GET /apis. */
export function apiGroupList(resources: readonly ResourceDefinition[]): object {
  const groups = [...byGroup(resources).keys()].filter((group) => group !== '');
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.map((name) => describeGroup(resources, name)),
  };
}

/** GET /apis/GROUP; undefined when nothing of it is served. */
export function apiGroup(resources: readonly ResourceDefinition[], name: string): object | undefined {
  if (!name || !resources.some(({ group }) => group === name)) return undefined;
  return { kind: 'APIGroup', apiVersion: 'v1', ...describeGroup(resources, name) };
}

function describeGroup(resources: readonly ResourceDefinition[], name: string): { name: string } {
  const versions = [...(byGroup(resources).get(name)?.keys() ?? [])].map((version) => ({
    groupVersion: `${name}/${version}`,
    version,
  }));
  return { name, ...{ versions, preferredVersion: versions[0] } };
}

/** GET /api/v1 and /apis/GROUP/VERSION; undefined when nothing of it is served. */
export function apiResourceList(
  resources: readonly ResourceDefinition[],
  group: string,
  version: string,
): object | undefined {
  const served = byGroup(resources).get(group)?.get(version);
  if (!served) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group, version }),
    resources: served.flatMap((resource) => [describe(resource), ...describeSubresources(resource)]),
  };
}

function describe(resource: ResourceDefinition): object {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories } = resource;
  return {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
  };
}

function describeSubresources(resource: ResourceDefinition): object[] {
  return subresourcesOf(resource).map(({ name, kind, group, version, verbs }) => ({
    name: `${resource.plural}/${name}`,
    singularName: '',
    namespaced: resource.namespaced,
    ...(group === resource.group && version === resource.version ? {} : { group, version }),
    kind,
    verbs,
  }));
}

export const AGGREGATED_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** GET /api or /apis in the aggregated form. */
export function aggregatedDiscovery(resources: readonly ResourceDefinition[], core: boolean): object {
  const groups = [...byGroup(resources)].filter(([group]) => (group === '') === core);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(([group, versions]) => ({
      metadata: { name: group, creationTimestamp: null },
      versions: [...versions].map(([version, served]) => ({
        version,
        resources: served.map(aggregated),
        freshness: 'Current',
      })),
    })),
  };
}

function aggregated(resource: ResourceDefinition): object {
  const { plural, group, version, kind, namespaced, singular, verbs, shortNames, categories } = resource;
  const subresources = subresourcesOf(resource).map((each) => ({
    subresource: each.name,
    responseKind: { group: each.group, version: each.version, kind: each.kind },
    verbs: each.verbs,
  }));
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
  };
}
