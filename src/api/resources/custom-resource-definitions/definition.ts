// The CustomResourceDefinition resource, to be read and not to be written: there are none. kubectl asks for them before it
// says that nothing is known of a kind; without an answer it would complain of that instead.

import type { CustomResourceDefinition } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { column, nameColumn } from '../shared/columns.ts';
import { customResourceDefinitionTypes } from './types.ts';

export const customResourceDefinitions: ResourceDefinition<CustomResourceDefinition> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  singular: 'customresourcedefinition',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  schema: 'CustomResourceDefinition',
  types: [customResourceDefinitionTypes],
  verbs: ['get', 'list', 'watch'],
  hasStatus: false,
  columns: [
    nameColumn(),
    column('Created At', 'When the definition was made.', ({ metadata }) => metadata.creationTimestamp ?? ''),
  ],
  strategy: {},
};
