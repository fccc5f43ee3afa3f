// The opaque `continue` token of paged lists: where the last page ended, and the revision all pages are true at.
import { badRequest } from '../../api/errors.ts';

/** The revision in the token of a list that goes on with whatever is there: its own is no longer known. */
export const NEWEST = -1;

export interface ContinueToken {
  revision: number;
  /** Key below the resource's prefix of the last object handed out. */
  after: string;
  /** How many objects are left after that one, if it is known. */
  remaining?: number | undefined;
}

export function encodeContinue({ revision, after, remaining }: ContinueToken): string {
  const token = { v: 'meta.k8s.io/v1', rv: revision, start: after, left: remaining };
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

/** Throws BadRequest for what `encodeContinue` did not write. */
export function decodeContinue(token: string): ContinueToken {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (typeof parsed === 'object' && parsed !== null && 'rv' in parsed && 'start' in parsed) {
      const { rv, start } = parsed;
      const valid = Number.isInteger(rv) && rv !== 0 && typeof start === 'string' && start !== '';
      const left = 'left' in parsed ? parsed.left : undefined;
      const remaining = Number.isInteger(left) && Number(left) > 0 ? Number(left) : undefined;
      if (valid) return { revision: Number(rv) < 0 ? NEWEST : Number(rv), after: start, remaining };
    }
  } catch {
    // Not base64 of JSON: the same refusal as for other JSON.
  }
  throw badRequest(
    'invalid continue token: continue key is not valid: it must be the value that the previous page of the list gave',
  );
}
