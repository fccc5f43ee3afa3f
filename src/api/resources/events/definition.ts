// The core Event resource: what `kubectl get events` and `kubectl describe` show.
import { present } from '../../../base/present.ts';
import { lastSeenMs } from '../../event-time.ts';
import type { Event } from '../../generated/types.ts';
import { ageOf } from '../../human-duration.ts';
import type { Stored } from '../../objects.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { column, wideColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { eventTypes } from './types.ts';
import { validateEvent } from './validation.ts';

function firstSeen(event: Event, nowMs: number): string {
  return ageOf(event.firstTimestamp ?? event.eventTime, nowMs);
}

function lastSeen(event: Event, nowMs: number): string {
  if (event.series) return ageOf(event.series.lastObservedTime, nowMs);
  return event.lastTimestamp === undefined ? firstSeen(event, nowMs) : ageOf(event.lastTimestamp, nowMs);
}

/** `pod/web-0`: what the event is about. */
function target(event: Event): string {
  const { kind = '', name } = event.involvedObject;
  return name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase();
}

/** `kubelet, node-1`: who says it. */
function sourceCell(event: Event): string {
  const component = event.source?.component || event.reportingComponent || '';
  const instance = event.source?.component ? event.source.host : event.reportingInstance;
  return instance ? `${component}, ${instance}` : component;
}

type Share = (text: string) => string;

/** Of an event: its selectable fields, and the times that say when it was last seen. */
function outline(event: Stored<Event>, share: Share): Stored<Event> {
  const { metadata, involvedObject: about, reason, type, reportingComponent, source, eventTime } = event;
  const shared = (text: string | undefined): string | undefined => text && share(text);
  return present({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: present({
      namespace: shared(metadata.namespace),
      name: metadata.name,
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      creationTimestamp: share(metadata.creationTimestamp),
      labels: metadata.labels,
    }),
    involvedObject: present({
      apiVersion: shared(about.apiVersion),
      kind: shared(about.kind),
      namespace: shared(about.namespace),
      name: shared(about.name),
      uid: shared(about.uid),
      resourceVersion: shared(about.resourceVersion),
      fieldPath: shared(about.fieldPath),
    }),
    reason: shared(reason),
    type: shared(type),
    reportingComponent: shared(reportingComponent),
    source: source && present({ component: shared(source.component) }),
    lastTimestamp: shared(event.lastTimestamp),
    eventTime,
    series: event.series,
  });
}

/** As upstream's --event-ttl. */
const EVENT_TTL_MS = 60 * 60 * 1000;
/**
 * What a busy hour of a machine full of pods has to say, several times over. Upstream has no such limit, and a cluster
 * that churns pays for it with its store's memory.
 */
const MOST_EVENTS = 15_000;

export const events: ResourceDefinition<Event> = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  categories: [],
  namespaced: true,
  schema: 'Event',
  types: [eventTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  selectableFields: {
    'involvedObject.apiVersion': (event) => event.involvedObject.apiVersion ?? '',
    'involvedObject.fieldPath': (event) => event.involvedObject.fieldPath ?? '',
    'involvedObject.kind': (event) => event.involvedObject.kind ?? '',
    'involvedObject.name': (event) => event.involvedObject.name ?? '',
    'involvedObject.namespace': (event) => event.involvedObject.namespace ?? '',
    'involvedObject.resourceVersion': (event) => event.involvedObject.resourceVersion ?? '',
    'involvedObject.uid': (event) => event.involvedObject.uid ?? '',
    reason: (event) => event.reason ?? '',
    reportingComponent: (event) => event.reportingComponent ?? '',
    source: (event) => event.source?.component || event.reportingComponent || '',
    type: (event) => event.type ?? '',
  },
  createsOnUpdate: true,
  outline,
  expiry: { seenMs: lastSeenMs, ttlMs: EVENT_TTL_MS, most: MOST_EVENTS },
  columns: [
    column('Last Seen', 'When it was last seen.', lastSeen),
    column('Type', 'Normal or Warning.', (event) => event.type ?? ''),
    column('Reason', 'Why, in one word.', (event) => event.reason ?? ''),
    column('Object', 'What the event is about.', target),
    wideColumn('Subobject', 'The part that it is about.', (event) => event.involvedObject.fieldPath ?? ''),
    wideColumn('Source', 'Who reports it.', sourceCell),
    column('Message', 'What happened.', (event) => (event.message ?? '').trim()),
    wideColumn('First Seen', 'When it was first seen.', firstSeen),
    wideColumn('Count', 'How often it was seen.', (event) => `${event.series?.count ?? (event.count || 1)}`),
    {
      name: 'Name',
      type: 'string',
      format: 'name',
      description: "The event's own name.",
      priority: 1,
      cell: (event) => event.metadata.name ?? '',
    },
  ],
  strategy: { validateCreate: validateEvent, validateUpdate: validateEvent },
};
