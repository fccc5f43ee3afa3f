// The events.k8s.io Event resource: the newer form of the core one, which is what is stored.

import type { EventsV1Event } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { storedAsCoreEvent } from './conversion.ts';
import { events } from './definition.ts';
import { eventsV1Types } from './events-v1-types.ts';
import { validateEventV1, validateEventV1Update } from './events-v1-validation.ts';
import { eventTypes } from './types.ts';

export const eventsV1: ResourceDefinition<EventsV1Event> = {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  categories: [],
  namespaced: true,
  schema: 'EventsV1Event',
  types: [eventsV1Types, eventTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  selectableFields: {
    reason: (event) => event.reason ?? '',
    'regarding.apiVersion': (event) => event.regarding?.apiVersion ?? '',
    'regarding.fieldPath': (event) => event.regarding?.fieldPath ?? '',
    'regarding.kind': (event) => event.regarding?.kind ?? '',
    'regarding.name': (event) => event.regarding?.name ?? '',
    'regarding.namespace': (event) => event.regarding?.namespace ?? '',
    'regarding.resourceVersion': (event) => event.regarding?.resourceVersion ?? '',
    'regarding.uid': (event) => event.regarding?.uid ?? '',
    reportingController: (event) => event.reportingController ?? '',
    type: (event) => event.type ?? '',
  },
  createsOnUpdate: true,
  storedAs: storedAsCoreEvent,
  columns: events.columns.map((column) => ({
    ...column,
    cell: (event, nowMs) => column.cell(storedAsCoreEvent.toStored(event), nowMs),
  })),
  strategy: { validateCreate: validateEventV1, validateUpdate: validateEventV1Update },
};
