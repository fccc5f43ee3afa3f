// The query parameters of resource requests, checked and typed. Follows apimachinery pkg/apis/meta/v1/validation.
import {
  badRequest,
  boundedErrors,
  type FieldError,
  forbiddenField,
  invalid,
  notSupported,
} from '../../../api/errors.ts';
import type { DeleteOptions } from '../../../api/generated/types.ts';
import type { Verb } from '../../../api/resource.ts';
import { fieldManagerErrors } from '../../../api/validation/managed-fields.ts';
import { present } from '../../../base/present.ts';
import type { RequestOptions } from '../../request.ts';

const FIELD_VALIDATION = ['Ignore', 'Warn', 'Strict'] as const;

/** The kind of options that a verb has; lists and watches check theirs when they know what is asked. */
const OPTIONS_KINDS: Partial<Record<Verb, string>> = {
  create: 'CreateOptions',
  update: 'UpdateOptions',
  patch: 'PatchOptions',
  delete: 'DeleteOptions',
  deletecollection: 'DeleteOptions',
};

/**
 * Reads the parameters of a verb. Throws BadRequest or Invalid for values that mean nothing.
 * @param isApply whether it is a server-side apply.
 */
export function requestOptions(query: URLSearchParams, verb: Verb, isApply = false): RequestOptions {
  const options: RequestOptions = {};
  const kind = OPTIONS_KINDS[verb];
  if (!kind && query.size === 0) return options;
  for (const name of [
    'labelSelector',
    'fieldSelector',
    'continue',
    'resourceVersion',
    'resourceVersionMatch',
    'fieldManager',
  ] as const) {
    const value = query.get(name);
    if (value) options[name] = value;
  }
  for (const name of ['limit', 'timeoutSeconds'] as const) {
    const value = integer(query, name);
    if (value !== undefined && value > 0) options[name] = value;
  }
  for (const name of ['allowWatchBookmarks', 'sendInitialEvents', 'force'] as const) {
    const value = boolean(query, name);
    if (value !== undefined) options[name] = value;
  }
  const validation = query.get('fieldValidation');
  const known = FIELD_VALIDATION.find((each) => each === validation);
  if (known) options.fieldValidation = known;
  const dryRun = query.getAll('dryRun').filter((value) => value !== '');
  if (dryRun.length > 0) options.dryRun = true;

  if (!kind) return options;
  const errors: FieldError[] = [];
  if (verb === 'patch' && !isApply && options.force !== undefined) {
    errors.push(forbiddenField('force', 'may not be specified for non-apply patch'));
  }
  const { fieldManager = '' } = options;
  if (kind !== 'DeleteOptions')
    errors.push(...boundedErrors(() => fieldManagerErrors(fieldManager, 'fieldManager')));
  if (dryRun.some((value) => value !== 'All')) errors.push(notSupported('dryRun', dryRun, ['All']));
  if (validation && !known && kind !== 'DeleteOptions') {
    errors.push(notSupported('fieldValidation', validation, ['', ...FIELD_VALIDATION.toSorted()]));
  }
  if (errors.length > 0)
    throw invalid({ group: 'meta.k8s.io', kind, plural: kind.toLowerCase() }, '', errors);
  return options;
}

/** DeleteOptions that come in the query instead of the body; the body's win. */
export function deleteOptionsOf(query: URLSearchParams, body: DeleteOptions): DeleteOptions {
  const options: DeleteOptions = present({
    gracePeriodSeconds: integer(query, 'gracePeriodSeconds'),
    propagationPolicy: query.get('propagationPolicy') || undefined,
    orphanDependents: boolean(query, 'orphanDependents'),
  });
  return { ...options, ...body };
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
  const inRange = /^[-+]?\d{1,18}$/.test(value);
  if (!inRange) {
    const why = /^[-+]?\d+$/.test(value) ? 'value out of range' : 'invalid syntax';
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: ${why}`);
  }
  return Number(value);
}
