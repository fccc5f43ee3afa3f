// Kinds for the tests of who follows what is served, where nothing comes and nothing goes.
import type { ResourceDefinition } from '../api/resource.ts';
import type { Kinds } from '../client/kinds.ts';

export function fixedKinds(resources: readonly ResourceDefinition[]): Kinds {
  return { resources: () => resources, onResourcesChange: () => () => {} };
}
