import { unsupportedMediaType } from '../../api/errors.ts';
import type { KubeObject } from '../../api/objects.ts';

export interface ApplyOptions {
  manager: string;
  force: boolean;
  nowMs: number;
  subresource?: string;
}
export function serverSideApply(
  _type: string,
  _current: KubeObject,
  _patch: unknown,
  _options: ApplyOptions,
): KubeObject {
  throw unsupportedMediaType('server-side apply');
}
