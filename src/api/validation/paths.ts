// Rules of paths and modes of files in volumes (pkg/apis/core/validation, validateLocalNonReservedPath and others).
import { type FieldError, invalidValue, required } from '../errors.ts';

const FILE_MODE = 'must be a number between 0 and 0777 (octal), both inclusive';

/** No `..` as a step of the path. */
export function noBacksteps(path: string, at: string): FieldError[] {
  return path.includes('..') && path.split('/').includes('..')
    ? [invalidValue(at, path, "must not contain '..'")]
    : [];
}

/** A path below something: relative, and never upward. */
export function descendingPath(path: string, at: string): FieldError[] {
  const absolute = path.startsWith('/') ? [invalidValue(at, path, 'must be a relative path')] : [];
  return [...absolute, ...noBacksteps(path, at)];
}

/** A file's path in a volume; names that begin with `..` are the node's own. */
export function localPath(path: string, at: string): FieldError[] {
  const errors = descendingPath(path, at);
  if (path.startsWith('..') && !path.startsWith('../')) {
    errors.push(invalidValue(at, path, "must not start with '..'"));
  }
  return errors;
}

/** The same of a path that must be set. */
export function requiredLocalPath(path: string | undefined, at: string): FieldError[] {
  return path ? localPath(path, at) : [required(at)];
}

export function fileMode(mode: number | undefined, at: string): FieldError[] {
  return mode === undefined || (mode >= 0 && mode <= 0o777) ? [] : [invalidValue(at, mode, FILE_MODE)];
}
