// The names of CSI drivers, which volumes, nodes and attachments name (pkg/apis/core/validation,
// ValidateCSIDriverName). Capitals have always been let through.
import { type FieldError, required, tooLong } from '../errors.ts';
import { dns1123Subdomain } from '../names.ts';
import { checked } from './field-rules.ts';

const MAX_NAME = 63;
const caseless = (name: string): string[] => dns1123Subdomain(name.toLowerCase());

export function csiDriverName(name: string | undefined, path: string): FieldError[] {
  const errors = name ? [] : [required(path)];
  if ((name ?? '').length > MAX_NAME) errors.push(tooLong(path, MAX_NAME));
  return [...errors, ...checked(name ?? '', path, caseless)];
}
