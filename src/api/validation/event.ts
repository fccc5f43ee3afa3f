// What may stand in a core Event (pkg/apis/core/validation/events.go, the rules for events of the core group).
import { type FieldError, invalidValue } from '../errors.ts';
import type { Event } from '../generated/types.ts';

/** An event about a cluster-scoped object lives in `default`; any other beside its object. */
export function validateEvent(event: Event): FieldError[] {
  const about = event.involvedObject.namespace ?? '';
  const { namespace = '' } = event.metadata;
  const matches =
    about === ''
      ? namespace === '' || namespace === 'default' || namespace === 'kube-system'
      : about === namespace;
  return matches ? [] : [invalidValue('involvedObject.namespace', about, 'does not match event.namespace')];
}
