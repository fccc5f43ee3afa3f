// The two forms of an event: the core one, which is stored, and that of events.k8s.io. Follows
// pkg/apis/events/v1/conversion.go.
import type { Event, EventsV1Event, ManagedFieldsEntry } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/objects.ts';

/** The version of the new form. */
export const EVENTS_V1 = 'events.k8s.io/v1';

/** Fields of the same meaning with another name: events.k8s.io → core. */
const RENAMED = {
  regarding: 'involvedObject',
  note: 'message',
  reportingController: 'reportingComponent',
  deprecatedSource: 'source',
  deprecatedFirstTimestamp: 'firstTimestamp',
  deprecatedLastTimestamp: 'lastTimestamp',
  deprecatedCount: 'count',
} as const;

const toCoreName: ReadonlyMap<string, string> = new Map(Object.entries(RENAMED));
const toNewName: ReadonlyMap<string, string> = new Map(
  Object.entries(RENAMED).map(([name, coreName]) => [coreName, name]),
);

function renamed(object: object, names: ReadonlyMap<string, string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [names.get(name) ?? name, value]));
}

/** Owners' fields (`f:message`) with other names. */
function renamedFields(entry: ManagedFieldsEntry, names: ReadonlyMap<string, string>): ManagedFieldsEntry {
  const fields = Object.entries(entry.fieldsV1 ?? {}).map(([field, below]) => {
    const name = names.get(field.slice('f:'.length));
    return [name ? `f:${name}` : field, below];
  });
  return { ...entry, fieldsV1: Object.fromEntries(fields) };
}

/**
 * Every owner's fields are kept in the names of the version it wrote with. For a write in the new form all of them
 * are brought to its names; back again for the store.
 */
function withCoreOwnersAs<T extends KubeObject>(object: T, names: ReadonlyMap<string, string>): T {
  const { managedFields, ...metadata } = object.metadata;
  if (!managedFields) return object;
  const entries = managedFields.map((entry) =>
    entry.apiVersion === 'v1' ? renamedFields(entry, names) : entry,
  );
  return { ...object, metadata: { ...metadata, managedFields: entries } };
}

/** An event in the new form as clients have it, with every owner's fields in its names. */
export function withNewOwners(event: EventsV1Event): EventsV1Event {
  return withCoreOwnersAs(event, toNewName);
}

/** The stored event as a write in the new form sees it. */
export function toApplyBase(event: Event): EventsV1Event {
  return withNewOwners(toEventsV1(event));
}

/** What a write in the new form has made, for the store. */
export function fromApplied(event: EventsV1Event): Event {
  return withCoreOwnersAs(toCoreEvent(event), toCoreName);
}

function toCoreEvent(event: EventsV1Event): Event {
  // Every field of one form has its place in the other.
  return { ...renamed(event, toCoreName), apiVersion: 'v1', kind: 'Event' } as unknown as Event;
}

export function toEventsV1(event: Event): EventsV1Event {
  const converted = { ...renamed(event, toNewName), apiVersion: EVENTS_V1, kind: 'Event' };
  return converted as unknown as EventsV1Event;
}

/** A field selector of events.k8s.io in the core form's names. */
export function toCoreSelector(selector: string): string {
  const terms = selector.split(',').map((term) =>
    term
      .trimStart()
      .replace(/^regarding\./, 'involvedObject.')
      .replace(/^reportingController/, 'reportingComponent'),
  );
  return terms.join(',');
}
