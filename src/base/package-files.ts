// Where the package's files lie that are read at run time: seen from its root, since code runs from where it was built
// file by file (dist/src) as well as bundled (dist/bin, dist/lib).
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** @throws Error if this code does not lie in a package. */
function findRoot(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
  }
  throw new Error(`no package.json lies above ${import.meta.dirname}`);
}

const root = findRoot();

/** @param path from the package's root. @returns where that is. */
export const packageFile = (path: string): string => join(root, path);
