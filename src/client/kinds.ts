// Which kinds the API serves, for those who act on all of them: they come and go while it runs. The API server in this
// process is one (`ApiServer`); nobody else keeps a list.
import { groupResourceOf, type ResourceDefinition } from '../api/resource.ts';

export interface Kinds {
  /** Everything that is served now. */
  resources(): readonly ResourceDefinition[];
  /** Calls back whenever that is another list. Returns what ends it. */
  onResourcesChange(listener: () => void): () => void;
}

/** Of what is served in several versions of a group, the first: they are the same objects. */
export function oneVersionEach(resources: readonly ResourceDefinition[]): ResourceDefinition[] {
  const first = new Map<string, ResourceDefinition>();
  for (const resource of resources) {
    const name = groupResourceOf(resource);
    if (!first.has(name)) first.set(name, resource);
  }
  return [...first.values()];
}

/** Kinds that stay as they are. */
export function fixedKinds(resources: readonly ResourceDefinition[]): Kinds {
  return { resources: () => resources, onResourcesChange: () => () => {} };
}
