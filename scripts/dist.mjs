// What dist/ is made of: which file there comes from which source, which are older than theirs, and which have none any
// more. The whole build (build.mjs) and the quick one of the inner loop (quick.mjs) both go by it. Uses nothing but Node.
import { cpSync, existsSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** What tsc remembers of the last build. In dist/, so that it goes when dist/ does. */
export const STATE = join('dist', '.tsbuildinfo');

/** Where tsc writes declarations of every file (tsconfig.json). */
export const DECLARATIONS = join('dist', 'declarations');

export const FOLDERS = ['src', 'test', 'bench'];
/** Read at run time, and not copied by tsc. */
const COPIED = /\.(json|proto|yaml|sh)$/;

/** Whether a file of one of the folders, by its name, is made into something in dist/. */
export const isSource = (name) => name.endsWith('.ts') || COPIED.test(name);

const filesBelow = (folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));

/** Sources and what each becomes, both from the root: `src/a.ts` → `dist/src/a.js`, `dist/src/a.js.map`. */
export function outputs() {
  const made = new Map();
  for (const source of FOLDERS.flatMap(filesBelow)) {
    const target = join('dist', source);
    if (source.endsWith('.ts'))
      made.set(source, [target.replace(/ts$/, 'js'), target.replace(/ts$/, 'js.map')]);
    else if (isSource(source)) made.set(source, [target]);
  }
  return made;
}

const changedAt = (file) => statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Sources that have changed since the last whole build and since something was made of them. */
export function staleSources() {
  const builtAt = changedAt(STATE);
  return [...outputs()]
    .filter(([source, targets]) =>
      targets.some((target) => {
        const madeAt = changedAt(target);
        return madeAt === 0 || Math.max(madeAt, builtAt) < changedAt(source);
      }),
    )
    .map(([source]) => source);
}

/** Whether a whole build would change anything: a file deleted, renamed or edited shows in its folder or itself. */
export function isBuilt() {
  const builtAt = changedAt(STATE);
  if (['tsconfig.json', 'package.json', 'package-lock.json'].some((file) => changedAt(file) > builtAt))
    return false;
  const parts = [...FOLDERS, 'scripts'].flatMap((folder) => [
    folder,
    ...readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)),
  ]);
  return parts.every((part) => changedAt(part) <= builtAt);
}

/** Says that everything as it was at a time is built (what tsc found unchanged keeps its old date); 0: that nothing is. */
export function markBuilt(atMs) {
  if (existsSync(join(root, STATE))) utimesSync(join(root, STATE), atMs / 1000, atMs / 1000);
}

/** Removes what came from a source that is gone. A deleted test would go on running, a deleted file go on shipping. */
export function removeLeftovers() {
  const made = outputs();
  const wanted = new Set([...made.values()].flat().concat([...made.keys()].map(declarationOf)));
  for (const folder of [...FOLDERS.map((name) => join('dist', name)), DECLARATIONS]) {
    if (!existsSync(join(root, folder))) continue;
    for (const file of filesBelow(folder)) if (!wanted.has(file)) rmSync(join(root, file));
  }
}

const declarationOf = (source) => join(DECLARATIONS, source.replace(/ts$/, 'd.ts'));

/** tsc believes its memory rather than the disk: without one of the files that it has made it must begin anew. */
export function forgetStateIfIncomplete() {
  const made = [...outputs()].flatMap(([source, targets]) =>
    source.endsWith('.ts') ? [...targets, declarationOf(source)] : targets,
  );
  const complete = made.every((file) => existsSync(join(root, file)));
  if (!complete) rmSync(join(root, STATE), { force: true });
}

/** Copies what is only copied. @param sources which of all sources; the others are passed over. */
export function copy(sources) {
  for (const source of sources.filter((name) => COPIED.test(name))) {
    cpSync(join(root, source), join(root, 'dist', source));
  }
}
