// The types of events, as far as they are not shared: what the client's models do not say of them.
import { embedded, written } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const eventTypes = generatedTypes('io.k8s.api.core.v1', {
  Event: {
    numbers:
      'metadata involvedObject reason message source firstTimestamp lastTimestamp count type eventTime series action related reportingComponent reportingInstance',
    fields: {
      involvedObject: embedded,
      reportingComponent: written,
      reportingInstance: written,
      source: embedded,
    },
  },
  EventSeries: { numbers: 'count lastObservedTime' },
  EventSource: { numbers: 'component host' },
});
