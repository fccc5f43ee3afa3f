import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInRange, lowestFree, parseAddressRange } from './pool.ts';

test('a range is a CIDR without its edges, or from one address to another', () => {
  const cidr = parseAddressRange('192.0.2.0/29');
  assert.ok(cidr);
  assert.equal(isInRange('192.0.2.0', cidr), false);
  assert.equal(isInRange('192.0.2.1', cidr), true);
  assert.equal(isInRange('192.0.2.7', cidr), false);
  const two = parseAddressRange('192.0.2.4/31');
  assert.ok(two && isInRange('192.0.2.4', two) && isInRange('192.0.2.5', two));
  const one = parseAddressRange('192.0.2.9-192.0.2.9');
  assert.ok(one);
  assert.equal(
    lowestFree(one, () => false),
    '192.0.2.9',
  );
  assert.equal(
    lowestFree(one, () => true),
    undefined,
  );
  for (const text of [
    '',
    '192.0.2.1',
    '192.0.2.9-192.0.2.8',
    'a-b',
    '192.0.2.1-2',
    '1.1.1.1-1.1.1.2-1.1.1.3',
    'fd00::/120',
  ])
    assert.equal(parseAddressRange(text), undefined, text);
});
