// The PodTemplate resource.

import type { PodTemplate } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { validatePodTemplate } from '../pods/validation/template.ts';
import { templateWarnings } from '../pods/validation/warnings.ts';
import { column, containerImages, containerNames, formatLabels, nameColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { podTemplateTypes } from './types.ts';

export const podTemplates: ResourceDefinition<PodTemplate> = {
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  singular: 'podtemplate',
  shortNames: [],
  categories: [],
  namespaced: true,
  schema: 'PodTemplate',
  types: [podTemplateTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  countsGeneration: true,
  returnsDeleted: true,
  columns: [
    nameColumn(),
    column('Containers', 'Names of each container in the template.', (object) =>
      containerNames(object.template?.spec?.containers),
    ),
    column('Images', 'Images referenced by each container in the template.', (object) =>
      containerImages(object.template?.spec?.containers),
    ),
    column('Pod Labels', 'The labels for the pod template.', (object) =>
      formatLabels(object.template?.metadata?.labels),
    ),
  ],
  strategy: {
    validateCreate: validatePodTemplate,
    validateUpdate: validatePodTemplate,
    warnings: ({ template = {} }) => templateWarnings(template, 'template'),
  },
};
