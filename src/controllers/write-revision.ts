// Makes, renumbers and forgets the ControllerRevisions of a workload's history, one at a time. Which, is revisions.ts's.
import { isAlreadyExists, orUndefined } from '../api/errors.ts';
import type { ControllerRevision } from '../api/generated/types.ts';
import { controllerOf, keyOf, type Stored } from '../api/objects.ts';
import { controllerRevisions } from '../api/resources/controller-revisions/definition.ts';
import { assertNever } from '../base/assert-never.ts';
import type { Client } from '../client/client.ts';
import { type RevisionAction, sameContent } from './revisions.ts';

/** Another content has the name of the new revision: the workload's collisionCount has to rise. */
export class RevisionCollision extends Error {}

/**
 * Does one step. What is as wanted already counts as done.
 * @throws RevisionCollision if the name of a new one is taken; otherwise what the API answers.
 */
export async function writeRevision(client: Client, owner: Stored, action: RevisionAction): Promise<void> {
  switch (action.type) {
    case 'createRevision':
      return create(client, owner, action.revision);
    case 'renumberRevision': {
      const renumbered = structuredClone({ ...action.revision, revision: action.number });
      await client.update(controllerRevisions, renumbered);
      return;
    }
    case 'deleteRevision': {
      const { namespace, name, uid } = action.revision.metadata;
      const options = { preconditions: { uid } };
      await orUndefined(client.delete(controllerRevisions, { namespace, name }, options));
      return;
    }
    default:
      assertNever(action);
  }
}

async function create(client: Client, owner: Stored, revision: ControllerRevision): Promise<void> {
  try {
    await client.create(controllerRevisions, structuredClone(revision));
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const { namespace, name } = revision.metadata;
    const existing = await client.get(controllerRevisions, { namespace, name: name ?? '' });
    const isOurs = controllerOf(existing)?.uid === owner.metadata.uid;
    // Ours, and only the cache does not know it yet.
    if (isOurs && sameContent(existing, revision)) return;
    throw new RevisionCollision(`ControllerRevision ${keyOf(existing)} exists with another content or owner`);
  }
}
