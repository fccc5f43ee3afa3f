// The types of events v1, as far as they are not shared: what the client's models do not say of them.
import { embedded } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const eventsV1Types = generatedTypes('io.k8s.api.events.v1', {
  EventsV1Event: {
    goName: 'Event',
    numbers:
      'metadata eventTime series reportingController reportingInstance action reason regarding related note type deprecatedSource deprecatedFirstTimestamp deprecatedLastTimestamp deprecatedCount',
    fields: { deprecatedSource: embedded, regarding: embedded },
  },
  EventsV1EventSeries: { goName: 'EventSeries', numbers: 'count lastObservedTime' },
});
