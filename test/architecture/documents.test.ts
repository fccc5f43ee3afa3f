// Holds that the documents for people who carry on name files that are there, and that links between documents lead
// somewhere. What they say of them is for people to read.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { root } from './source.ts';

const documents = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name)),
].filter((name) => name.endsWith('.md'));
const FOR_THOSE_WHO_CARRY_ON = /^(?:CONTRIBUTING|docs\/(?:architecture|flow|testing|decisions\/.*))\.md$/;

const files = ['src', 'test', 'bench', 'scripts', 'docs', 'examples'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
);
/** Names of no file of ours: what a pattern is explained with. */
const EXAMPLES = new Set(['x.ts', 'test-x.ts', 'x.test.ts', 'package.json']);

/** Paths in backticks, whole or from their last folders on: `store/store.ts`. A star stands for any name. */
function namedFiles(text: string): string[] {
  return [...text.matchAll(/`([\w./*-]+\.(?:ts|mjs|yaml|json|md))`/g)].map(([, name = '']) => name);
}

const isThere = (name: string): boolean => {
  const pattern = new RegExp(`(?:^|/)${name.replace(/[.]/g, '\\.').replace(/\*/g, '[^/]+')}$`);
  return existsSync(join(root, name)) || files.some((file) => pattern.test(file));
};

describe('documents', () => {
  it('name files that are there', () => {
    const named = documents
      .filter((document) => FOR_THOSE_WHO_CARRY_ON.test(document))
      .flatMap((document) =>
        namedFiles(readFileSync(join(root, document), 'utf8')).map((name) => ({ document, name })),
      );
    assert.ok(named.length > 50);
    assert.deepEqual(
      named.filter(({ name }) => !EXAMPLES.has(name) && !isThere(name)),
      [],
    );
  });

  it('link to documents that are there', () => {
    const broken = documents.flatMap((document) => {
      const links = readFileSync(join(root, document), 'utf8').matchAll(
        /\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g,
      );
      return [...links].flatMap(([, link = '']) =>
        existsSync(join(root, dirname(document), link)) ? [] : [`${document}: ${link}`],
      );
    });
    assert.deepEqual(broken, []);
  });

  it('would be caught', () => {
    assert.deepEqual(namedFiles('see `a/b.ts` and `c.d` and `s/*.yaml`'), ['a/b.ts', 's/*.yaml']);
    assert.equal(isThere('store/store.ts'), true);
    assert.equal(isThere('re.ts'), false);
  });
});
