// DELETE of everything that a selection matches, one object after the other; answers with what was deleted.
import { isNotFound } from '../../api/errors.ts';
import type { Pipeline } from '../admission/pipeline.ts';
import { selectionOf } from '../cache/selection.ts';
import type { ApiRequest, ApiResult } from '../request.ts';
import { deleteKey } from './delete.ts';
import { listSelected } from './list.ts';

export async function deleteCollection(pipeline: Pipeline, request: ApiRequest): Promise<ApiResult> {
  const list = await listSelected(pipeline.registry, request, selectionOf(request));
  for (const object of list.items) {
    try {
      await deleteKey(pipeline, request, object.metadata);
    } catch (error) {
      // Somebody else was quicker: gone is what was asked for.
      if (!isNotFound(error)) throw error;
    }
  }
  return { type: 'list', list, warnings: [] };
}
