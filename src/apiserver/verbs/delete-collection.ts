// DELETE of everything that a selection matches, one object after the other; answers with what was deleted.
import { isNotFound } from '../../api/errors.ts';
import type { AdmissionPlugin } from '../admission/admission.ts';
import { selectionOf } from '../cache/selection.ts';
import type { Registry } from '../registry.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { deleteKey } from './delete.ts';
import { listSelected } from './list.ts';

export async function deleteCollection(
  registry: Registry,
  plugins: readonly AdmissionPlugin[],
  request: ApiRequest,
): Promise<ApiResult> {
  const list = await listSelected(registry, request, selectionOf(request));
  for (const object of list.items) {
    try {
      await deleteKey(registry, plugins, request, object.metadata);
    } catch (error) {
      // Somebody else was quicker: gone is what was asked for.
      if (!isNotFound(error)) throw error;
    }
  }
  return { type: 'list', list, warnings: [] };
}
