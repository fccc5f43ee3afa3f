// How patches that do not apply are refused.
import { StatusError } from '../../api/errors.ts';

/**
 * 422 for a patch that is well formed but does not apply to this object (`errors.NewGenericServerResponse`). It names no
 * causes, as upstream does not: kubectl shows the message only when there are none.
 */
export function unprocessable(reason: string): StatusError {
  return new StatusError({
    message: `the server rejected our request due to an error in our request: ${reason}`,
    reason: 'Invalid',
    details: {},
    code: 422,
  });
}
