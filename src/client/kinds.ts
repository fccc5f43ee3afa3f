// Which kinds the API serves, for those who act on all of them: they come and go while it runs. The API server in this
// process is one (`ApiServer`); nobody else keeps a list.
import type { ResourceDefinition } from '../api/resource.ts';

export interface Kinds {
  /** Everything that is served now. */
  resources(): readonly ResourceDefinition[];
  /** Calls back whenever that is another list. Returns what ends it. */
  onResourcesChange(listener: () => void): () => void;
}

/** Kinds that stay as they are. */
export function fixedKinds(resources: readonly ResourceDefinition[]): Kinds {
  return { resources: () => resources, onResourcesChange: () => () => {} };
}
