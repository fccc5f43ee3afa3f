// The source as the tests of the house read it: which files there are, what each exports and imports, by name. Read by
// pattern, which Biome's format makes sure of; what is none of it is seen by tsc.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

export const root = join(import.meta.dirname, '..', '..', '..');

/** Tests, and what only tests use: `x.test.ts`, `test-x.ts`. */
export const isTest = (file: string): boolean => /\.test\.ts$|(^|\/)test-[^/]*\.ts$/.test(file);

/** The files below some folders of the root, from the root: `src/api/names.ts`. What is generated is left out. */
export function sourceFiles(...folders: readonly string[]): string[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
        join(folder, name),
      ),
    )
    .filter((file) => file.endsWith('.ts') && !file.includes('/generated/'))
    .sort();
}

/** Its text with comments blanked out, so that lines keep their numbers. */
export function codeOf(file: string): string {
  const text = readFileSync(join(root, file), 'utf8');
  const blank = (comment: string): string => comment.replace(/[^\n]/g, ' ');
  return text.replace(/(?<=^|[\s(,{])\/\*[\s\S]*?\*\//gm, blank).replace(/(^|[\s;{}(,])\/\/[^\n]*/g, blank);
}

export interface Import {
  /** From the root. */
  from: string;
  /** As the other file calls them; `*` for all of them. */
  names: string[];
  /** Whether nothing of it is left at run time. */
  typeOnly: boolean;
}

/** What a file imports of this repository, re-exports included. */
export function importsOf(file: string): Import[] {
  const code = codeOf(file);
  const target = (specifier: string): string => relative(root, resolve(root, dirname(file), specifier));
  const statements = code.matchAll(/^(?:import|export)\s+(type\s+)?([^;'"]*?)\s*from\s*'(\.[^']+)'/gm);
  const found = [...statements].map(([, type, clause = '', specifier = '']): Import => {
    const words = /\{([\s\S]*)\}/
      .exec(clause)?.[1]
      ?.split(',')
      .map((word) => word.trim()) ?? ['*'];
    const names = words.filter((word) => word !== '');
    return {
      from: target(specifier),
      names: names.map((word) => word.replace(/^type\s+/, '').replace(/\s+as\s+.*$/, '')),
      typeOnly: type !== undefined || (names.length > 0 && names.every((word) => word.startsWith('type '))),
    };
  });
  const dynamic = code.matchAll(
    /(?:\{([^{}]*)\}\s*=\s*await\s+|(typeof\s+))?import\(\s*'(\.[^']+)'\s*\)\)?(?:\.then\(\(\{([^{}]*)\}\)|\.(\w+))?/g,
  );
  for (const [, awaited, type, specifier = '', given, member = '*'] of dynamic) {
    const taken = awaited ?? given ?? member;
    const names = taken.split(',').map((word) => word.trim().replace(/:.*$/, ''));
    found.push({ from: target(specifier), names, typeOnly: type !== undefined });
  }
  for (const [, specifier = ''] of code.matchAll(/^import\s+'(\.[^']+)'/gm)) {
    found.push({ from: target(specifier), names: [], typeOnly: false });
  }
  return found;
}

/** The names that a file exports. */
export function exportsOf(file: string): string[] {
  const declared = codeOf(file).matchAll(
    /^export\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:function\*?|const|let|class|interface|type|enum)\s+(\w+)/gm,
  );
  return [...declared].map(([, name = '']) => name);
}
