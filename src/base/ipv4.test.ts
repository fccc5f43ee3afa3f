import assert from 'node:assert/strict';
import { it } from 'node:test';
import { formatIPv4, overlap, parseIPv4, parseIPv4Range } from './ipv4.ts';

it('an address is a number and back, and nothing else is an address', () => {
  for (const text of ['0.0.0.0', '10.0.0.1', '192.168.255.3', '255.255.255.255']) {
    const address = parseIPv4(text);
    assert.ok(address !== undefined);
    assert.equal(formatIPv4(address), text);
  }
  assert.equal(parseIPv4('128.0.0.1'), 2 ** 31 + 1);
  for (const text of [
    '',
    '10.0.0',
    '10.0.0.0.1',
    '10.0.0.256',
    '10.0.0.01',
    '10.0.0.-1',
    '10.0.0.1e1',
    '::1',
    'None',
  ]) {
    assert.equal(parseIPv4(text), undefined, text);
  }
});

it('a range begins at its network, and an address alone is a range of one', () => {
  const range = parseIPv4Range('10.96.3.4/16');
  assert.ok(range);
  assert.deepEqual([formatIPv4(range.first), formatIPv4(range.last)], ['10.96.0.0', '10.96.255.255']);
  const one = parseIPv4Range('10.96.3.4');
  assert.ok(one);
  assert.equal(one.first, one.last);
  assert.ok(overlap(range, one));
  const whole = parseIPv4Range('0.0.0.0/0');
  assert.equal(whole?.last, 2 ** 32 - 1);
  for (const text of ['10.96.0.0/33', '10.96.0.0/', '10.96.0.0/x', '10.96.0.0/8/8', 'fd00::/8', 'default']) {
    assert.equal(parseIPv4Range(text), undefined, text);
  }
});
