// The declarations that go into the package: of what can be imported from it (package.json, `exports`), and of what those
// name in their turn. tsc writes them for every file; all the rest is nobody's business.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { DECLARATIONS, root } from './dist.mjs';

const FROM = join(root, DECLARATIONS, 'src');
const TO = join(root, 'dist', 'types');

// Files that an entry of `exports` names: `./dist/types/a/*/b.d.ts` stands for one of each folder.
function named(pattern) {
  const [before, after] = join(root, pattern).replace(TO, FROM).split('*');
  if (after === undefined) return [before];
  return readdirSync(before)
    .map((name) => `${before}${name}${after}`)
    .filter(existsSync);
}

/** Puts them into dist/types. */
export function shipDeclarations() {
  rmSync(TO, { recursive: true, force: true });
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const waiting = Object.values(exports).flatMap(({ types }) => (types ? named(types) : []));
  const seen = new Set(waiting);
  for (const file of waiting) {
    const text = readFileSync(file, 'utf8');
    const target = join(TO, relative(FROM, file));
    mkdirSync(dirname(target), { recursive: true });
    // As every TypeScript reads it, and not only those that know of imports of sources.
    writeFileSync(target, text.replace(/((?:from|import)\s*\(?\s*'\.[^']+)\.ts'/g, "$1.js'"));
    for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
      const next = join(dirname(file), specifier.replace(/\.[tj]s$/, '.d.ts'));
      if (seen.has(next)) continue;
      seen.add(next);
      waiting.push(next);
    }
  }
}
