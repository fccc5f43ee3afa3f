import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  QUANTITY_ERROR,
  QUANTITY_SUFFIX_ERROR,
  quantityError,
  quantityToNumber,
} from './quantity.ts';

test('quantities are read exactly, in nano-units', () => {
  assert.equal(parseQuantity('100m'), 100_000_000n);
  assert.equal(parseQuantity('1Ki'), 1024_000_000_000n);
  assert.equal(parseQuantity('1.5Gi'), 1_610_612_736_000_000_000n);
  assert.equal(parseQuantity('1e3'), 1000_000_000_000n);
  assert.equal(parseQuantity('-2'), -2_000_000_000n);
  assert.equal(parseQuantity('1E'), 10n ** 27n);
  assert.equal(parseQuantity('0.1n'), 1n, 'finer than nano is rounded up');
});

test('what is no quantity is refused with a reason', () => {
  for (const text of ['', 'a', '1.1.1', '1 Gi', '1+1', '.', 'Gi', '1Gi ', '1e3e']) {
    assert.equal(parseQuantity(text), undefined, text);
  }
  for (const text of ['1i', '1gi', '1ki', '1K', '1e', '1e999999999']) {
    assert.equal(parseQuantity(text), undefined, text);
  }
  assert.equal(quantityError('x'), QUANTITY_ERROR);
  assert.equal(quantityError('1i'), QUANTITY_SUFFIX_ERROR);
  assert.throws(() => quantityToNumber('x'), RangeError);
});

test('canonical texts are those that upstream writes', () => {
  const cases: Record<string, string> = {
    '0': '0',
    '0.0Gi': '0',
    '0.1': '100m',
    '1000m': '1',
    '1500m': '1500m',
    '1000': '1k',
    '1024Mi': '1Gi',
    '1025Mi': '1025Mi',
    '1536Mi': '1536Mi',
    '1.5Gi': '1536Mi',
    '0.5Mi': '512Ki',
    '0.5Ki': '512',
    '1Ki': '1Ki',
    '200Mi': '200Mi',
    '1e3': '1e3',
    '10e2': '1e3',
    '100e3': '100e3',
    '1000000': '1M',
    '12345678': '12345678',
    '-1000m': '-1',
    '10000Gi': '10000Gi',
    '0.001n': '1n',
    '1.1Ki': '1126400m',
  };
  for (const [text, canonical] of Object.entries(cases))
    assert.equal(canonicalQuantity(text), canonical, text);
});

test('numbers, comparing and writing', () => {
  assert.equal(quantityToNumber('200Mi'), 209715200);
  assert.equal(quantityToNumber('250m'), 0.25);
  assert.equal(compareQuantities('1Gi', '1024Mi'), 0);
  assert.equal(compareQuantities('1G', '1Gi'), -1);
  assert.equal(compareQuantities('2', '1999m'), 1);
  assert.equal(formatQuantity(1024n ** 3n * 1_000_000_000n, 'BinarySI'), '1Gi');
  assert.equal(formatQuantity(500_000_000n, 'BinarySI'), '500m');
});

test('a canonical text means the same amount and is its own canonical text', () => {
  const suffix = fc.constantFrom('', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'Ti', 'e3', 'E-2', 'n', 'u');
  fc.assert(
    fc.property(fc.integer({ min: -99999, max: 99999 }), fc.nat(999), suffix, (whole, fraction, end) => {
      const text = `${whole}.${fraction}${end}`;
      const canonical = canonicalQuantity(text);
      assert.equal(parseQuantity(canonical), parseQuantity(text));
      assert.equal(canonicalQuantity(canonical), canonical);
    }),
  );
});
