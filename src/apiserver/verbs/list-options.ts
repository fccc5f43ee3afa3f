// Which options of a list or a watch go together, and what a watch means that says nothing of where it begins. Follows
// apimachinery pkg/apis/meta/internalversion (SetListOptionsDefaults, validation.ValidateListOptions).
import { type FieldError, forbiddenField, invalid, notSupported } from '../../api/errors.ts';
import type { RequestOptions } from '../request.ts';

const SUBJECT = { group: 'meta.k8s.io', kind: 'ListOptions', plural: 'listoptions' };
const MATCH = 'resourceVersionMatch';

/** Throws Invalid for options of a list that mean nothing together. */
export function requireListOptions(options: RequestOptions): void {
  const errors: FieldError[] = [];
  const { resourceVersionMatch: match, resourceVersion } = options;
  if (match) {
    if (!resourceVersion) {
      errors.push(
        forbiddenField(MATCH, 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
      );
    }
    errors.push(...withContinue(options));
    if (match !== 'Exact' && match !== 'NotOlderThan') {
      errors.push(notSupported(MATCH, match, ['Exact', 'NotOlderThan', '']));
    }
    if (match === 'Exact' && resourceVersion === '0') {
      errors.push(forbiddenField(MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  if (options.sendInitialEvents !== undefined) {
    errors.push(forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  if (errors.length > 0) throw invalid(SUBJECT, '', errors);
}

/**
 * The options of a watch with what they mean by default: one that names no version begins with everything there is.
 * Throws Invalid for options that mean nothing together.
 */
export function watchOptions(options: RequestOptions): RequestOptions {
  const { resourceVersionMatch: match, sendInitialEvents, resourceVersion } = options;
  if (!match && sendInitialEvents === undefined) {
    const fromStart = !resourceVersion || resourceVersion === '0';
    return fromStart
      ? { ...options, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
      : options;
  }
  const errors: FieldError[] = [];
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    errors.push(
      forbiddenField(MATCH, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
    );
  }
  if (match) {
    if (sendInitialEvents === undefined) {
      errors.push(
        forbiddenField(
          MATCH,
          'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
        ),
      );
    }
    if (match !== 'NotOlderThan') errors.push(notSupported(MATCH, match, ['NotOlderThan']));
    errors.push(...withContinue(options));
  }
  if (errors.length > 0) throw invalid(SUBJECT, '', errors);
  return options;
}

function withContinue(options: RequestOptions): FieldError[] {
  return options.continue
    ? [forbiddenField(MATCH, 'resourceVersionMatch is forbidden when continue is provided')]
    : [];
}
