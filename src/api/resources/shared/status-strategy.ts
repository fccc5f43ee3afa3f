// The strategy that kinds with a /status share: a client's write to the object never changes its status. What a
// fresh status holds, each resource says itself.
import type { KubeObject } from '../../objects.ts';
import type { Strategy } from '../../resource.ts';

/** An object whose status is written apart from its spec. */
export type WithStatus = KubeObject & { status?: unknown };

/** Gives `object` the status of `old`, which may be none. */
export function keepStatus<T extends WithStatus>(object: T, old: T): void {
  if (old.status === undefined) delete object.status;
  else object.status = old.status;
}

/**
 * The part of a strategy that guards the status.
 * @param fresh the status of an object just created; undefined: none.
 */
export function statusStrategy<T extends WithStatus>(
  fresh: () => T['status'],
): Required<Pick<Strategy<T>, 'prepareForCreate' | 'prepareForUpdate'>> {
  return {
    prepareForCreate(object) {
      const status = fresh();
      if (status === undefined) delete object.status;
      else object.status = status;
    },
    prepareForUpdate: keepStatus,
  };
}
