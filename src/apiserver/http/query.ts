// The query parameters of resource requests, checked and typed.
import {
  badRequest,
  type FieldError,
  invalid,
  invalidValue,
  notSupported,
  tooLong,
} from '../../api/errors.ts';
import type { DeleteOptions } from '../../api/generated/types.ts';
import type { RequestOptions } from '../request.ts';

const MAX_FIELD_MANAGER = 128;
const FIELD_VALIDATION = ['Ignore', 'Warn', 'Strict'] as const;

/** Throws BadRequest or Invalid for values that mean nothing. */
export function requestOptions(query: URLSearchParams): RequestOptions {
  const options: RequestOptions = {};
  for (const name of [
    'labelSelector',
    'fieldSelector',
    'continue',
    'resourceVersion',
    'fieldManager',
  ] as const) {
    const value = query.get(name);
    if (value) options[name] = value;
  }
  if (options.fieldManager) checkFieldManager(options.fieldManager);
  for (const name of ['limit', 'timeoutSeconds'] as const) {
    const value = integer(query, name);
    if (value !== undefined && value > 0) options[name] = value;
  }
  for (const name of ['allowWatchBookmarks', 'sendInitialEvents', 'force'] as const) {
    const value = boolean(query, name);
    if (value !== undefined) options[name] = value;
  }
  const match = query.get('resourceVersionMatch');
  if (match) {
    if (match !== 'Exact' && match !== 'NotOlderThan')
      throw unsupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan']);
    options.resourceVersionMatch = match;
  }
  const validation = query.get('fieldValidation');
  if (validation) {
    const known = FIELD_VALIDATION.find((each) => each === validation);
    if (!known) throw unsupported('fieldValidation', validation, FIELD_VALIDATION);
    options.fieldValidation = known;
  }
  if (isDryRun(query)) options.dryRun = true;
  return options;
}

/** As upstream's ValidateFieldManager. */
function checkFieldManager(manager: string): void {
  const subject = { group: 'meta.k8s.io', kind: 'CreateOptions', plural: 'createoptions' };
  const errors: FieldError[] = [];
  if (Buffer.byteLength(manager) > MAX_FIELD_MANAGER) errors.push(tooLong('fieldManager', MAX_FIELD_MANAGER));
  if (/\p{C}/u.test(manager)) {
    errors.push(invalidValue('fieldManager', manager, 'should only contain printable characters'));
  }
  if (errors.length > 0) throw invalid(subject, '', errors);
}

/** DeleteOptions that come in the query instead of the body; the body's win. */
export function deleteOptionsOf(query: URLSearchParams, body: DeleteOptions): DeleteOptions {
  const options: DeleteOptions = {};
  const grace = integer(query, 'gracePeriodSeconds');
  if (grace !== undefined) options.gracePeriodSeconds = grace;
  const policy = query.get('propagationPolicy');
  if (policy) options.propagationPolicy = policy;
  const orphan = boolean(query, 'orphanDependents');
  if (orphan !== undefined) options.orphanDependents = orphan;
  return { ...options, ...body };
}

function isDryRun(query: URLSearchParams): boolean {
  const values = query.getAll('dryRun').filter((value) => value !== '');
  for (const value of values) if (value !== 'All') throw unsupported('dryRun', value, ['All']);
  return values.length > 0;
}

function unsupported(name: string, value: string, supported: readonly string[]): Error {
  const subject = { group: 'meta.k8s.io', kind: 'QueryOptions', plural: 'queryoptions' };
  return invalid(subject, '', [notSupported(name, value, supported)]);
}

/** As Go reads a query's booleans: `0` and `false` are false, anything else is true. */
export function boolean(query: URLSearchParams, name: string): boolean | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  return value.toLowerCase() !== 'false' && value !== '0';
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === '') return undefined;
  if (!/^-?\d{1,15}$/.test(value)) {
    throw badRequest(`${name}: ${JSON.stringify(value)} is not an integer`);
  }
  return Number(value);
}
