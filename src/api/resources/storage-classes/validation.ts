// What may stand in a StorageClass (pkg/apis/storage/validation): all but labels, topologies and expansion is fixed
// once made.
import { duplicate, type FieldError, forbiddenField, invalidValue, required, tooLong } from '../../errors.ts';
import type { StorageClass, TopologySelectorTerm } from '../../generated/types.ts';
import { qualifiedName } from '../../names.ts';
import { semanticallyEqual } from '../../validation/equality.ts';
import { checked, immutable, labelName, oneOf, optionalOneOf } from '../../validation/field-rules.ts';

const MAX_PARAMETERS = 512;
const MAX_PARAMETERS_SIZE = 256 * 1024;
const RECLAIM_POLICIES: readonly string[] = ['Delete', 'Retain'];
const BINDING_MODES: readonly string[] = ['Immediate', 'WaitForFirstConsumer'];
const caselessName = (name: string): string[] => qualifiedName(name.toLowerCase());

export function validateStorageClass(object: StorageClass): FieldError[] {
  const { provisioner } = object;
  return [
    ...(provisioner ? checked(provisioner, 'provisioner', caselessName) : [required('provisioner')]),
    ...validateParameters(object.parameters ?? {}, 'parameters'),
    ...optionalOneOf(object.reclaimPolicy, 'reclaimPolicy', RECLAIM_POLICIES),
    ...oneOf(object.volumeBindingMode, 'volumeBindingMode', BINDING_MODES),
    ...validateTopologies(object.allowedTopologies ?? [], 'allowedTopologies'),
  ];
}

function validateParameters(parameters: Record<string, string>, path: string): FieldError[] {
  const entries = Object.entries(parameters);
  if (entries.length > MAX_PARAMETERS) return [tooLong(path, MAX_PARAMETERS)];
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of entries) {
    if (key === '') errors.push(invalidValue(path, key, 'field can not be empty.'));
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > MAX_PARAMETERS_SIZE) errors.push(tooLong(path, MAX_PARAMETERS_SIZE));
  return errors;
}

/** No two terms, no two keys of a term and no two values of a key are the same. */
function validateTopologies(terms: readonly TopologySelectorTerm[], path: string): FieldError[] {
  const seen = new Set<string>();
  return terms.flatMap(({ matchLabelExpressions = [] }, index) => {
    const errors: FieldError[] = [];
    const keys = new Set<string>();
    for (const [at, { key, values = [] }] of matchLabelExpressions.entries()) {
      const expression = `${path}.matchLabelExpressions[${at}]`;
      if (values.length === 0) errors.push(required(`${expression}.values`));
      const named = new Set<string>();
      for (const [position, value] of values.entries()) {
        if (named.has(value)) errors.push(duplicate(`${expression}.values[${position}]`, value));
        named.add(value);
      }
      errors.push(...labelName(key, `${expression}.key`));
      if (keys.has(key)) errors.push(duplicate(`${expression}.key`, key));
      keys.add(key);
    }
    const id = JSON.stringify(
      matchLabelExpressions.map(({ key, values }) => [key, [...values].sort()]).sort(),
    );
    if (seen.has(id)) errors.push(duplicate(`${path}[${index}].matchLabelExpressions`, ''));
    seen.add(id);
    return errors;
  });
}

export function validateStorageClassUpdate(object: StorageClass, old: StorageClass): FieldError[] {
  const errors: FieldError[] = [];
  if (!semanticallyEqual(object.parameters, old.parameters)) {
    errors.push(forbiddenField('parameters', 'updates to parameters are forbidden.'));
  }
  if (object.provisioner !== old.provisioner) {
    errors.push(forbiddenField('provisioner', 'updates to provisioner are forbidden.'));
  }
  return [
    ...errors,
    ...immutable(object.reclaimPolicy, old.reclaimPolicy, 'reclaimPolicy'),
    ...immutable(object.volumeBindingMode, old.volumeBindingMode, 'volumeBindingMode'),
  ];
}
