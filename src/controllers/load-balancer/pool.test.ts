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
    'fd00::/129',
    '192.0.2.1-fd00::1',
  ])
    assert.equal(parseAddressRange(text), undefined, text);
});

test('a range of IPv6, as large as it may be', () => {
  const range = parseAddressRange('2001:db8::/64');
  assert.ok(range && range.family === 'IPv6');
  assert.ok(
    isInRange('2001:DB8:0::7', range) && !isInRange('2001:db8::', range) && !isInRange('192.0.2.1', range),
  );
  assert.equal(
    lowestFree(range, (address) => address === '2001:db8::1'),
    '2001:db8::2',
  );
});
