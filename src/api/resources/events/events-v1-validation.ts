// What may stand in an Event of events.k8s.io: what holds for events of the core group (event.ts), nothing of the old
// style, and once written only the series goes on (pkg/apis/core/validation/events.go, ValidateEventCreate and
// ValidateEventUpdate). Errors name the fields as the core group does, as upstream's do.
import { present } from '../../../base/present.ts';
import { type FieldError, invalidValue, required } from '../../errors.ts';
import type { Event, EventsV1Event } from '../../generated/types.ts';
import { semanticallyEqual } from '../../validation/equality.ts';
import { immutable } from '../../validation/field-rules.ts';
import { validateEvent } from './validation.ts';

/** The event as the core group has it. */
function asCore(event: EventsV1Event): Event {
  const { metadata, regarding = {}, note: message, action, reason, type, reportingInstance } = event;
  const { eventTime, reportingController: reportingComponent } = event;
  const said = { message, action, reason, type, reportingComponent, reportingInstance };
  return present({ metadata, involvedObject: regarding, ...said, eventTime: eventTime || undefined });
}

export function validateEventV1(event: EventsV1Event): FieldError[] {
  const errors = [...validateEvent(asCore(event)), ...validateSeries(event)];
  if (!event.eventTime) errors.push(required('eventTime'));
  if (event.type !== 'Normal' && event.type !== 'Warning') {
    errors.push(invalidValue('type', '', `has invalid value: ${event.type ?? ''}`));
  }
  const { deprecatedSource: source } = event;
  const old: readonly (readonly [field: string, isSet: boolean])[] = [
    ['firstTimestamp', Boolean(event.deprecatedFirstTimestamp)],
    ['lastTimestamp', Boolean(event.deprecatedLastTimestamp)],
    ['count', Boolean(event.deprecatedCount)],
    ['source', Boolean(source?.component || source?.host)],
  ];
  for (const [field, isSet] of old) if (isSet) errors.push(invalidValue(field, '', 'needs to be unset'));
  return errors;
}

function validateSeries({ series }: EventsV1Event): FieldError[] {
  if (!series) return [];
  const errors: FieldError[] = [];
  if ((series.count ?? 0) < 2) errors.push(invalidValue('series.count', '', 'should be at least 2'));
  if (!series.lastObservedTime) errors.push(required('series.lastObservedTime'));
  return errors;
}

export function validateEventV1Update(event: EventsV1Event, old: EventsV1Event): FieldError[] {
  // A text that is empty is none.
  const fixed = (field: keyof EventsV1Event, name: string): FieldError[] =>
    event[field] || old[field] ? immutable(event[field], old[field], name) : [];
  return [
    ...validateEvent(asCore(event)),
    ...(semanticallyEqual(event.series, old.series) ? [] : validateSeries(event)),
    ...fixed('regarding', 'involvedObject'),
    ...fixed('reason', 'reason'),
    ...fixed('note', 'message'),
    ...fixed('deprecatedSource', 'source'),
    ...fixed('deprecatedFirstTimestamp', 'firstTimestamp'),
    ...fixed('deprecatedLastTimestamp', 'lastTimestamp'),
    ...fixed('deprecatedCount', 'count'),
    ...fixed('type', 'type'),
    ...fixed('eventTime', 'eventTime'),
    ...fixed('action', 'action'),
    ...fixed('related', 'related'),
    ...fixed('reportingController', 'reportingController'),
    ...fixed('reportingInstance', 'reportingInstance'),
  ];
}
