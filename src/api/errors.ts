// The error catalogue: every refusal of the API as metav1.Status, with upstream's reason, code and wording
// (apimachinery pkg/api/errors/errors.go and pkg/util/validation/field/errors.go). Nothing here knows HTTP.
import { present } from '../base/present.ts';
import type { Status, StatusCause, StatusDetails } from './generated/types.ts';

/** An error that carries the metav1.Status to answer with. */
export class StatusError extends Error {
  readonly status: Status;
  /** What the client is told besides. */
  warnings: readonly string[] = [];
  constructor(status: Omit<Status, 'metadata'>) {
    super(status.message);
    this.name = 'StatusError';
    this.status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', ...status };
  }
  get code(): number {
    return this.status.code ?? 500;
  }
  get reason(): string {
    return this.status.reason ?? '';
  }
}

/** The same error, with what the client is told besides if it is a refusal. */
export function withWarnings(error: unknown, warnings: readonly string[]): unknown {
  if (error instanceof StatusError) error.warnings = warnings;
  return error;
}

/** Names the kind of thing an error is about. */
export interface Subject {
  group: string;
  /** plural for not-found and conflict, kind for invalid: as upstream. */
  plural: string;
  kind: string;
}

const qualified = (name: string, group: string): string => (group ? `${name}.${group}` : name);

const detailsOf = ({ group, plural }: Subject, name?: string): StatusDetails =>
  present({ name, group: group || undefined, kind: plural });

export function notFound(subject: Subject, name: string): StatusError {
  return new StatusError({
    message: `${qualified(subject.plural, subject.group)} "${name}" not found`,
    reason: 'NotFound',
    details: detailsOf(subject, name),
    code: 404,
  });
}

export function alreadyExists(subject: Subject, name: string): StatusError {
  return new StatusError({
    message: `${qualified(subject.plural, subject.group)} "${name}" already exists`,
    reason: 'AlreadyExists',
    details: detailsOf(subject, name),
    code: 409,
  });
}

export function conflict(subject: Subject, name: string, why: string): StatusError {
  return new StatusError({
    message: `Operation cannot be fulfilled on ${qualified(subject.plural, subject.group)} "${name}": ${why}`,
    reason: 'Conflict',
    details: detailsOf(subject, name),
    code: 409,
  });
}

/** Why an update with an old resourceVersion is refused, in upstream's words. */
export const OBJECT_WAS_MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again';

export function invalid(subject: Subject, name: string, errors: readonly FieldError[]): StatusError {
  const causes: StatusCause[] = errors.map((error) => ({
    reason: error.type,
    message: error.body,
    field: error.field,
  }));
  return new StatusError({
    message: `${qualified(subject.kind, subject.group)} "${name}" is invalid: ${aggregate(errors)}`,
    reason: 'Invalid',
    details: { ...detailsOf({ ...subject, plural: subject.kind }, name), causes },
    code: 422,
  });
}

function aggregate(errors: readonly FieldError[]): string {
  const sentences = [...new Set(errors.map((error) => `${error.field}: ${error.body}`))];
  return sentences.length === 1 ? `${sentences[0]}` : `[${sentences.join(', ')}]`;
}

export function badRequest(message: string): StatusError {
  return new StatusError({ message, reason: 'BadRequest', code: 400 });
}

export function forbidden(subject: Subject, name: string, why: string): StatusError {
  return new StatusError({
    message: `${qualified(subject.plural, subject.group)} ${name ? `"${name}" ` : ''}is forbidden: ${why}`,
    reason: 'Forbidden',
    details: detailsOf(subject, name || undefined),
    code: 403,
  });
}

export function unauthorized(): StatusError {
  return new StatusError({ message: 'Unauthorized', reason: 'Unauthorized', code: 401 });
}

/** What a path that no one serves is answered with, also below an object. */
export function pathNotFound(): StatusError {
  return new StatusError({
    message: 'the server could not find the requested resource',
    reason: 'NotFound',
    details: {},
    code: 404,
  });
}

export function methodNotSupported(subject: Subject, action: string): StatusError {
  return new StatusError({
    message: `${action} is not supported on resources of kind "${qualified(subject.plural, subject.group)}"`,
    reason: 'MethodNotAllowed',
    details: detailsOf(subject),
    code: 405,
  });
}

/** 410: the revision asked for has been compacted away; the client lists again. */
export function expired(message: string): StatusError {
  return new StatusError({ message, reason: 'Expired', code: 410 });
}

export function tooManyRequests(message: string, retryAfterSeconds: number): StatusError {
  return new StatusError({
    message,
    reason: 'TooManyRequests',
    details: { retryAfterSeconds },
    code: 429,
  });
}

export function timeout(message: string, retryAfterSeconds = 0): StatusError {
  return new StatusError({ message, reason: 'Timeout', details: { retryAfterSeconds }, code: 504 });
}

export function unsupportedMediaType(message: string): StatusError {
  return new StatusError({ message, reason: 'UnsupportedMediaType', code: 415 });
}

export function requestEntityTooLarge(message: string): StatusError {
  return new StatusError({ message, reason: 'RequestEntityTooLarge', code: 413 });
}

export function notAcceptable(message: string): StatusError {
  return new StatusError({ message, reason: 'NotAcceptable', code: 406 });
}

export function serviceUnavailable(message: string): StatusError {
  return new StatusError({ message, reason: 'ServiceUnavailable', code: 503 });
}

export function internal(message: string): StatusError {
  return new StatusError({
    message: `Internal error occurred: ${message}`,
    reason: 'InternalError',
    details: { causes: [{ message }] },
    code: 500,
  });
}

export function isReason(error: unknown, reason: string): boolean {
  return error instanceof StatusError && error.reason === reason;
}
export const isNotFound = (error: unknown): boolean => isReason(error, 'NotFound');
export const isConflict = (error: unknown): boolean => isReason(error, 'Conflict');
export const isAlreadyExists = (error: unknown): boolean => isReason(error, 'AlreadyExists');
export const isExpired = (error: unknown): boolean => isReason(error, 'Expired') || isReason(error, 'Gone');

/** What a request answers with; undefined where the answer is NotFound: the object, or what it is part of, is gone. */
export async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

// ---- field errors ---------------------------------------------------------------------------------------------

export type FieldErrorType =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueDuplicate'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueNotFound'
  | 'FieldValueTypeInvalid';

/** One thing wrong with one field; `body` is upstream's sentence without the path. */
export interface FieldError {
  type: FieldErrorType;
  /** `spec.template.spec.containers[0].name` */
  field: string;
  body: string;
}

/** What is told of one object: more would be read by nobody, and take long to say. */
const MAX_FIELD_ERRORS = 500;
const MAX_FIELD_ERROR_CHARACTERS = 512 * 1024;

/** The errors that were made while an object is being checked. */
let made: FieldError[] | undefined;
let madeCharacters = 0;

class TooManyFieldErrors extends Error {}

/**
 * The errors that a check finds, which must be synchronous; a check that finds too many ends there, with those that it
 * has found.
 */
export function boundedErrors(check: () => FieldError[]): FieldError[] {
  const errors: FieldError[] = [];
  made = errors;
  madeCharacters = 0;
  try {
    const found = check();
    return found.length <= MAX_FIELD_ERRORS ? found : withMore(found.slice(0, MAX_FIELD_ERRORS));
  } catch (error) {
    if (!(error instanceof TooManyFieldErrors)) throw error;
    return withMore(errors);
  } finally {
    made = undefined;
  }
}

function withMore(errors: readonly FieldError[]): FieldError[] {
  const body = `Too many: there are more errors than these ${errors.length}`;
  return [...errors, { type: 'FieldValueTooMany', field: '<nil>', body }];
}

/** Every error is made here, so that they can be counted. */
function fieldError(type: FieldErrorType, field: string, body: string): FieldError {
  const error = { type, field, body };
  if (made) {
    made.push(error);
    madeCharacters += field.length + body.length;
    if (made.length >= MAX_FIELD_ERRORS || madeCharacters > MAX_FIELD_ERROR_CHARACTERS) {
      throw new TooManyFieldErrors();
    }
  }
  return error;
}

/** A value as upstream prints it in error messages: strings quoted, objects as JSON. */
function render(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  return typeof value === 'string'
    ? JSON.stringify(value)
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);
}

export function required(field: string, detail = ''): FieldError {
  return fieldError('FieldValueRequired', field, detail ? `Required value: ${detail}` : 'Required value');
}
export function invalidValue(field: string, value: unknown, detail: string): FieldError {
  const body = `Invalid value: ${render(value)}${detail ? `: ${detail}` : ''}`;
  return fieldError('FieldValueInvalid', field, body);
}
export function typeInvalid(field: string, value: unknown, detail: string): FieldError {
  return fieldError('FieldValueTypeInvalid', field, `Invalid value: ${render(value)}: ${detail}`);
}
export function notSupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  const list = supported.map((choice) => JSON.stringify(choice)).join(', ');
  const body = `Unsupported value: ${render(value)}: supported values: ${list}`;
  return fieldError('FieldValueNotSupported', field, body);
}
export function forbiddenField(field: string, detail: string): FieldError {
  return fieldError('FieldValueForbidden', field, `Forbidden: ${detail}`);
}
export function duplicate(field: string, value: unknown, detail = ''): FieldError {
  const body = `Duplicate value: ${render(value)}${detail ? `: ${detail}` : ''}`;
  return fieldError('FieldValueDuplicate', field, body);
}
export function tooLong(field: string, maxLength: number): FieldError {
  return fieldError('FieldValueTooLong', field, `Too long: may not be more than ${maxLength} bytes`);
}
export function tooMany(field: string, actual: number, max: number): FieldError {
  const items = max === 1 ? 'item' : 'items';
  return fieldError('FieldValueTooMany', field, `Too many: ${actual}: must have at most ${max} ${items}`);
}
export function notFoundField(field: string, value: unknown, detail = ''): FieldError {
  const body = `Not found: ${render(value)}${detail ? `: ${detail}` : ''}`;
  return fieldError('FieldValueNotFound', field, body);
}
