// What a StatefulSet's volumeClaimTemplates may be, and what of them may change. Upstream lets nothing change; here
// the storage asked for may grow, since volumes can, and labels and annotations may be others.
import { duplicate, type FieldError, forbiddenField, required } from '../../errors.ts';
import type { PersistentVolumeClaim } from '../../generated/types.ts';
import { dns1123Label } from '../../names.ts';
import { compareQuantities, parseQuantity } from '../../quantity.ts';
import { validateLabels } from '../../selectors.ts';
import { differingFields, semanticallyEqual } from '../../validation/equality.ts';
import { checked } from '../../validation/field-rules.ts';
import { validatePersistentVolumeClaimSpec } from '../persistent-volume-claims/validation.ts';

type Templates = readonly PersistentVolumeClaim[];

export function validateClaimTemplates(templates: Templates, path: string): FieldError[] {
  const seen = new Set<string>();
  return templates.flatMap((template, index) => {
    const { name } = template.metadata;
    const at = `${path}[${index}]`;
    if (!name) return [required(`${at}.metadata.name`)];
    const again = seen.has(name) ? [duplicate(`${at}.metadata.name`, name)] : [];
    seen.add(name);
    return [
      ...checked(name, `${at}.metadata.name`, dns1123Label),
      ...again,
      ...validateLabels(template.metadata.labels, `${at}.metadata.labels`),
      ...validatePersistentVolumeClaimSpec(template.spec, `${at}.spec`),
    ];
  });
}

const storageOf = (template: PersistentVolumeClaim): string | undefined =>
  template.spec.resources?.requests?.storage;

/** The template without what may change, and without what says only what is meant anyway. */
function fixedPart(template: PersistentVolumeClaim): object {
  const { metadata, spec: wholeSpec } = template;
  const { volumeMode, ...spec } = wholeSpec;
  const { labels: _labels, annotations: _annotations, creationTimestamp: _time, ...fixedMetadata } = metadata;
  const { storage: _size, ...requests } = spec.resources?.requests ?? {};
  const mode = volumeMode === 'Filesystem' ? {} : { volumeMode };
  return { ...fixedMetadata, ...spec, ...mode, resources: { ...spec.resources, requests } };
}

/** Says of each difference that is not a growth why it is refused. */
export function validateClaimTemplatesUpdate(
  templates: Templates,
  old: Templates,
  path: string,
): FieldError[] {
  if (semanticallyEqual(templates, old)) return [];
  const names = (list: Templates): string => list.map(({ metadata }) => metadata.name).join(', ');
  if (names(templates) !== names(old)) {
    const why =
      `claim templates cannot be added, removed, renamed or put in another order (${names(old) || 'none'} before, ` +
      `${names(templates) || 'none'} now): the pods that run have their volumes; only ` +
      'resources.requests.storage may grow, and labels and annotations may change';
    return [forbiddenField(path, why)];
  }
  return [
    ...validateClaimTemplates(templates, path),
    ...templates.flatMap((template, index) => {
      const before = old[index];
      return before ? validateTemplateUpdate(template, before, `${path}[${index}]`) : [];
    }),
  ];
}

function validateTemplateUpdate(
  template: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const [now, before] = [fixedPart(template), fixedPart(old)];
  if (!semanticallyEqual(now, before)) {
    const fields = differingFields(now, before).join(', ');
    const why =
      `of a claim template, only spec.resources.requests.storage may grow, and labels and annotations may change; ` +
      `fields that differ: ${fields}`;
    errors.push(forbiddenField(path, why));
  }
  const size = storageOf(template) ?? '0';
  const oldSize = storageOf(old) ?? '0';
  // What is no quantity at all has been told already.
  if (parseQuantity(size) !== undefined && compareQuantities(size, oldSize) < 0) {
    const why = `may only grow: volumes cannot shrink, and those of the set have been asked for ${oldSize}`;
    errors.push(forbiddenField(`${path}.spec.resources.requests.storage`, why));
  }
  return errors;
}
