// Whether this machine can run containers at all: asked before anything is started.
import { findContainerPrograms, MissingPrerequisiteError } from '../../node/containerd/programs.ts';
import { UserError } from './user-error.ts';

/** @throws UserError if this machine cannot run containers: no root, or a program is missing. */
export async function checkMachine(): Promise<void> {
  try {
    await findContainerPrograms();
  } catch (error) {
    if (error instanceof MissingPrerequisiteError)
      throw new UserError(`Pods cannot run here: ${error.message}.`);
    throw error;
  }
}
