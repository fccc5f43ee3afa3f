// The ControllerRevision resource: one state of a set's template. Its data never changes.

import type { ControllerRevision } from '../../generated/types.ts';
import { controllerOf } from '../../objects.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { controllerRevisionTypes } from './types.ts';
import { validateControllerRevision, validateControllerRevisionUpdate } from './validation.ts';

/** `statefulset.apps/web`: whose revision it is. */
function controllerCell(revision: ControllerRevision): string {
  const controller = controllerOf(revision);
  if (controller === undefined) return '<none>';
  const slash = controller.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : `.${controller.apiVersion.slice(0, slash)}`;
  return `${controller.kind.toLowerCase()}${group}/${controller.name}`;
}

export const controllerRevisions: ResourceDefinition<ControllerRevision> = {
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  singular: 'controllerrevision',
  shortNames: [],
  categories: [],
  namespaced: true,
  schema: 'ControllerRevision',
  types: [controllerRevisionTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  columns: [
    nameColumn(),
    column('Controller', 'Controller of the object', controllerCell),
    column('Revision', 'The number of the state.', (revision) => `${revision.revision}`),
    ageColumn(),
  ],
  strategy: { validateCreate: validateControllerRevision, validateUpdate: validateControllerRevisionUpdate },
};
