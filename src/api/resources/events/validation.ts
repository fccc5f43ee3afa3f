// What may stand in an Event of the core group, whatever wrote it (pkg/apis/core/validation/events.go,
// legacyValidateEvent). One with an eventTime is of the new style, and must say who reports it and what was done.
import { type FieldError, invalidValue, required } from '../../errors.ts';
import type { Event } from '../../generated/types.ts';
import { dns1123Subdomain, qualifiedName } from '../../names.ts';
import { checked, requiredText } from '../../validation/field-rules.ts';

const MAX_WORD = 128;
const MAX_NOTE = 1024;
const NO_MATCH = 'does not match event.namespace';

export function validateEvent(event: Event): FieldError[] {
  const { namespace = '' } = event.metadata;
  return [
    ...validateNamespace(event, namespace),
    ...(event.eventTime ? validateNewStyle(event) : []),
    ...checked(namespace, 'namespace', dns1123Subdomain),
  ];
}

/** An event about a cluster-scoped object lives in `default`; any other of the old style beside its object. */
function validateNamespace(event: Event, namespace: string): FieldError[] {
  const about = event.involvedObject.namespace ?? '';
  const matches = event.eventTime
    ? about !== '' || namespace === 'default' || namespace === 'kube-system'
    : about === ''
      ? namespace === '' || namespace === 'default'
      : about === namespace;
  return matches ? [] : [invalidValue('involvedObject.namespace', about, NO_MATCH)];
}

function validateNewStyle(event: Event): FieldError[] {
  const { reportingComponent: controller = '', reportingInstance = '', action = '', reason = '' } = event;
  return [
    ...requiredText(controller, 'reportingController'),
    ...checked(controller, 'reportingController', qualifiedName),
    ...word(reportingInstance, 'reportingInstance'),
    ...word(action, 'action'),
    ...word(reason, 'reason'),
    ...atMost(event.message ?? '', MAX_NOTE, 'message'),
  ];
}

function word(text: string, path: string): FieldError[] {
  return text === '' ? [required(path)] : atMost(text, MAX_WORD, path);
}

function atMost(text: string, most: number, path: string): FieldError[] {
  if (Buffer.byteLength(text) <= most) return [];
  return [invalidValue(path, '', `can have at most ${most} characters`)];
}
