// What may stand in a RuntimeClass (pkg/apis/node/validation).
import { duplicate, type FieldError } from '../../errors.ts';
import type { RuntimeClass, Scheduling } from '../../generated/types.ts';
import { dns1123Label } from '../../names.ts';
import { validateLabels } from '../../selectors.ts';
import { semanticallyEqual } from '../../validation/equality.ts';
import { checked, immutable } from '../../validation/field-rules.ts';
import { validateResources } from '../pods/validation/resources.ts';
import { validateTolerations } from '../pods/validation/scheduling.ts';

const NO_CLAIMS: ReadonlySet<string> = new Set();

export function validateRuntimeClass({ handler, overhead, scheduling }: RuntimeClass): FieldError[] {
  return [
    ...checked(handler, 'handler', dns1123Label),
    ...(overhead ? validateResources({ limits: overhead.podFixed ?? {} }, NO_CLAIMS, 'overhead') : []),
    ...(scheduling ? validateScheduling(scheduling, 'scheduling') : []),
  ];
}

function validateScheduling({ nodeSelector, tolerations = [] }: Scheduling, path: string): FieldError[] {
  const again = tolerations.flatMap((toleration, index) =>
    tolerations.slice(0, index).some((other) => semanticallyEqual(other, toleration))
      ? [duplicate(`${path}.tolerations[${index}]`, toleration)]
      : [],
  );
  return [
    ...validateLabels(nodeSelector, `${path}.nodeSelector`),
    ...validateTolerations(tolerations, `${path}.tolerations`),
    ...again,
  ];
}

export function validateRuntimeClassUpdate(object: RuntimeClass, old: RuntimeClass): FieldError[] {
  return immutable(object.handler, old.handler, 'handler');
}
