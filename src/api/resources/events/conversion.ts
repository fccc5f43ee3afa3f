// The two forms of an event: the core one, which is stored, and that of events.k8s.io. Follows
// pkg/apis/events/v1/conversion.go.
import type { Event, EventsV1Event } from '../../generated/types.ts';
import type { KubeObject } from '../../objects.ts';
import type { StoredVersion } from '../../resource.ts';
import { events } from './definition.ts';

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

function renamed(object: KubeObject, names: ReadonlyMap<string, string>): KubeObject {
  const fields = Object.entries(object).map(([name, value]) => [names.get(name) ?? name, value]);
  return { ...Object.fromEntries(fields), metadata: object.metadata };
}

/** Every field of one form has its place in the other. */
export const storedAsCoreEvent: StoredVersion<EventsV1Event, Event> = {
  resource: events,
  renamed: RENAMED,
  toStored: (event) => renamed(event, toCoreName) as Event,
  fromStored: (event) => renamed(event, toNewName) as EventsV1Event,
};
