// Rules of the files that a ConfigMap or Secret becomes, in a volume of its own or as a part of a projected one
// (pkg/apis/core/validation, validateKeyToPath).
import type { FieldError } from '../../../errors.ts';
import type { KeyToPath } from '../../../generated/types.ts';
import { requiredText } from '../../../validation/field-rules.ts';
import { fileMode, requiredLocalPath } from '../../../validation/paths.ts';

/** Which key becomes which file. */
export function validateItems(items: readonly KeyToPath[], path: string): FieldError[] {
  return items.flatMap((item, index) => [
    ...requiredText(item.key, `${path}[${index}].key`),
    ...requiredLocalPath(item.path, `${path}[${index}].path`),
    ...fileMode(item.mode, `${path}[${index}].mode`),
  ]);
}
