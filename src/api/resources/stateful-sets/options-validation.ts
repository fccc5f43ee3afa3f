// That a StatefulSet's `stead.dev/…` annotations say something that stead understands: a misspelt one would otherwise
// be ignored without a word. What they may say stands in ../stateful-set-options.ts.
import { type FieldError, forbiddenField, invalidValue } from '../../errors.ts';
import type { StatefulSet } from '../../generated/types.ts';
import { optionProblem, STATEFUL_SET_ANNOTATIONS } from '../../stateful-set-options.ts';

const PREFIX = 'stead.dev/';

/** @param old the set before an update: what it had already is not held against it. */
export function validateStatefulSetOptions(set: StatefulSet, old?: StatefulSet): FieldError[] {
  return [...ofTheSet(set, old), ...ofTheTemplate(set, old)];
}

/** Among the annotations of the pods they would do nothing. */
function ofTheTemplate(set: StatefulSet, old: StatefulSet | undefined): FieldError[] {
  const before = old?.spec.template.metadata?.annotations ?? {};
  return Object.keys(set.spec.template.metadata?.annotations ?? {})
    .filter((name) => STATEFUL_SET_ANNOTATIONS.includes(name) && !(name in before))
    .map((name) => {
      const why = 'it is for the StatefulSet, not for its pods: put it in metadata.annotations of the set';
      return forbiddenField(`spec.template.metadata.annotations[${name}]`, why);
    });
}

function ofTheSet(set: StatefulSet, old: StatefulSet | undefined): FieldError[] {
  return Object.entries(set.metadata.annotations ?? {}).flatMap(([name, text]) => {
    if (!name.startsWith(PREFIX) || old?.metadata.annotations?.[name] === text) return [];
    const path = `metadata.annotations[${name}]`;
    if (!STATEFUL_SET_ANNOTATIONS.includes(name)) {
      const why = `stead knows no such annotation of a StatefulSet; it knows ${STATEFUL_SET_ANNOTATIONS.join(', ')}`;
      return [forbiddenField(path, why)];
    }
    const problem = optionProblem(name, text);
    return problem === undefined ? [] : [invalidValue(path, text, problem)];
  });
}
