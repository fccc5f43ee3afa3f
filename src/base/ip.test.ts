import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addressAt,
  formatIp,
  includesIp,
  includesRange,
  isMappedIPv4,
  overlap,
  parseIp,
  parseIpOrRange,
  parseIpRange,
} from './ip.ts';

test('one form for each address', () => {
  const forms: Record<string, string | undefined> = {
    '10.96.0.1': '10.96.0.1',
    '010.0.0.1': undefined,
    '::': '::',
    '::1': '::1',
    'FD00:0:0:0::A': 'fd00::a',
    '2001:db8:0:1:0:0:0:1': '2001:db8:0:1::1',
    '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
    '1:0:2:3:4:5:6:7': '1:0:2:3:4:5:6:7',
    '64:ff9b::10.0.0.1': '64:ff9b::a00:1',
    'fe80::1%eth0': undefined,
    host: undefined,
  };
  for (const [text, expected] of Object.entries(forms)) {
    const ip = parseIp(text);
    assert.equal(ip && formatIp(ip), expected, text);
  }
  const mapped = parseIp('::ffff:10.0.0.1');
  assert.ok(mapped && isMappedIPv4(mapped));
});

test('every number is read as it is written', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, (1n << 128n) - 1n), fc.nat(7), (number, zeros) => {
      const value = number >> BigInt(16 * zeros);
      assert.deepEqual(parseIp(formatIp({ family: 'IPv6', value })), { family: 'IPv6', value });
    }),
  );
});

test('ranges', () => {
  const range = parseIpRange('10.96.1.2/16');
  assert.equal(range?.cidr, '10.96.0.0/16');
  const outer = parseIpRange('10.0.0.0/8');
  const six = parseIpRange('fd00::/108');
  const address = parseIp('10.96.255.255');
  assert.ok(range && outer && six && address);
  assert.equal(six.last - six.first, 0xfffffn);
  assert.ok(includesIp(range, address) && !includesIp(six, address));
  assert.ok(includesRange(outer, range) && !includesRange(range, outer));
  for (const bad of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/08', '::/129', 'x/1', '10.0.0.0/8/1']) {
    assert.equal(parseIpRange(bad), undefined, bad);
  }
});

test('ranges that share an address, and an address alone', () => {
  const range = (text: string) => parseIpOrRange(text) ?? assert.fail(text);
  assert.equal(range('fd00::1').cidr, 'fd00::1/128');
  assert.equal(range('10.0.0.1').cidr, '10.0.0.1/32');
  assert.equal(range('10.0.3.1/16').cidr, '10.0.0.0/16');
  assert.ok(
    overlap(range('10.0.0.0/8'), range('10.3.0.0/16')) && overlap(range('fd00::7'), range('fd00::/64')),
  );
  assert.ok(
    !overlap(range('0.0.0.0/0'), range('::/0')) && !overlap(range('10.0.0.0/9'), range('10.128.0.0/9')),
  );
  for (const bad of ['default', '10.0.0.0/', '']) assert.equal(parseIpOrRange(bad), undefined, bad);
  assert.equal(addressAt(range('10.96.0.0/16'), 10), '10.96.0.10');
  assert.equal(addressAt(range('fd00:1::/64'), 1), 'fd00:1::1');
});
