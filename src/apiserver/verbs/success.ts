// The answer of verbs that have nothing to show.
import type { ApiResult } from '../request.ts';

export function success(code: 200 | 201, warnings: readonly string[] = []): ApiResult {
  const object = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code };
  return { type: 'object', code, object, warnings };
}
