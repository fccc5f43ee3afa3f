// The events.k8s.io Event resource: the newer form of the core one, which is what is stored.

import type { EventsV1Event } from '../../generated/types.ts';
import { ageOf } from '../../human-duration.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { column, wideColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { storedAsCoreEvent } from './conversion.ts';
import { eventsV1Types } from './events-v1-types.ts';
import { validateEventV1, validateEventV1Update } from './events-v1-validation.ts';
import { eventTypes } from './types.ts';

function firstSeen(event: EventsV1Event, nowMs: number): string {
  return ageOf(event.deprecatedFirstTimestamp ?? event.eventTime, nowMs);
}

function lastSeen(event: EventsV1Event, nowMs: number): string {
  const last = event.series?.lastObservedTime ?? event.deprecatedLastTimestamp;
  return last === undefined ? firstSeen(event, nowMs) : ageOf(last, nowMs);
}

function target(event: EventsV1Event): string {
  const kind = event.regarding?.kind?.toLowerCase() ?? '';
  return event.regarding?.name ? `${kind}/${event.regarding.name}` : kind;
}

function sourceCell(event: EventsV1Event): string {
  const deprecated = event.deprecatedSource?.component;
  const component = deprecated || event.reportingController || '';
  const instance = deprecated ? event.deprecatedSource?.host : event.reportingInstance;
  return instance ? `${component}, ${instance}` : component;
}

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
  columns: [
    column('Last Seen', 'When it was last seen.', lastSeen),
    column('Type', 'Normal or Warning.', (event) => event.type ?? ''),
    column('Reason', 'Why, in one word.', (event) => event.reason ?? ''),
    column('Object', 'What the event is about.', target),
    wideColumn('Subobject', 'The part that it is about.', (event) => event.regarding?.fieldPath ?? ''),
    wideColumn('Source', 'Who reports it.', sourceCell),
    column('Message', 'What happened.', (event) => (event.note ?? '').trim()),
    wideColumn('First Seen', 'When it was first seen.', firstSeen),
    wideColumn(
      'Count',
      'How often it was seen.',
      (event) => `${event.series?.count ?? (event.deprecatedCount || 1)}`,
    ),
    {
      name: 'Name',
      type: 'string',
      format: 'name',
      description: "The event's own name.",
      priority: 1,
      cell: (event) => event.metadata.name ?? '',
    },
  ],
  strategy: { validateCreate: validateEventV1, validateUpdate: validateEventV1Update },
};
