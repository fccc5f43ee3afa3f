// Holds that no file needs itself, by whichever way round: not by what it runs, and not by its types either, since two
// files that cannot be understood one after the other are one.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { importsOf, sourceFiles } from './source.ts';

/** Sets of files each of which reaches every other (Tarjan's strongly connected components). */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const number = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const visit = (file: string): void => {
    number.set(file, number.size);
    let low = number.size - 1;
    stack.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!number.has(next)) visit(next);
      if (stack.includes(next)) low = Math.min(low, lowest.get(next) ?? number.get(next) ?? low);
    }
    lowest.set(file, low);
    if (low !== number.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1 || graph.get(file)?.includes(file)) found.push(circle.sort());
  };
  for (const file of graph.keys()) if (!number.has(file)) visit(file);
  return found;
}

describe('import circles', () => {
  it('there are none', () => {
    const files = sourceFiles('src', 'test', 'bench');
    const graph = new Map(files.map((file) => [file, importsOf(file).map(({ from }) => from)]));
    assert.ok([...graph.values()].flat().length > 1_000);
    assert.deepEqual(circles(graph), []);
  });

  it('would be found', () => {
    const graph = (edges: Record<string, string[]>) => circles(new Map(Object.entries(edges)));
    assert.deepEqual(graph({ a: ['b', 'c'], b: ['c'], c: [] }), []);
    assert.deepEqual(graph({ a: ['b'], b: ['c'], c: ['b'] }), [['b', 'c']]);
    assert.deepEqual(graph({ a: ['a'] }), [['a']]);
    assert.deepEqual(graph({ a: ['b', 'd'], b: ['a'], c: ['d'], d: ['c'] }), [
      ['c', 'd'],
      ['a', 'b'],
    ]);
  });
});
