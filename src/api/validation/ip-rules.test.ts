import assert from 'node:assert/strict';
import test from 'node:test';
import type { FieldError } from '../errors.ts';
import { addressRange, externalAddress, ipAddress, reachableAddress } from './ip-rules.ts';

const said = (errors: readonly FieldError[]): string =>
  errors.map(({ body }) => body.replace(/^Invalid value: "[^"]*": /, '')).join('; ');
const NO_ADDRESS = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const NO_RANGE = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

const cases: readonly [(value: string, path: string) => FieldError[], string, string][] = [
  [ipAddress, '10.0.0.1', ''],
  [ipAddress, 'fd00::1', ''],
  [ipAddress, '', NO_ADDRESS],
  [ipAddress, '10.0.0', NO_ADDRESS],
  [ipAddress, '10.0.0.256', NO_ADDRESS],
  [ipAddress, 'fe80::1%eth0', NO_ADDRESS],
  [ipAddress, '010.0.0.1', 'must not have leading 0s'],
  [ipAddress, '::ffff:10.0.0.1', 'must not be an IPv4-mapped IPv6 address'],
  [ipAddress, '0:0:0:0:0:ffff:a00:1', 'must not be an IPv4-mapped IPv6 address'],
  [ipAddress, '::ffff:0:1:2', ''],
  [reachableAddress, '127.0.0.1', ''],
  [externalAddress, '192.0.2.7', ''],
  [externalAddress, '127.8.0.1', 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  [externalAddress, '::1', 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  [externalAddress, '::ffff:127.0.0.1', 'must not be an IPv4-mapped IPv6 address'],
  [externalAddress, '0.0.0.0', 'may not be unspecified (0.0.0.0)'],
  [reachableAddress, '::', 'may not be unspecified (::)'],
  [reachableAddress, 'fe80::1', 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  [reachableAddress, '224.0.0.1', 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
  [addressRange, '10.9.8.0/24', ''],
  [addressRange, '0.0.0.0/0', ''],
  [addressRange, '2001:db8::/32', ''],
  [addressRange, '::1:0/112', ''],
  [addressRange, '64:ff9b::10.0.0.0/104', ''],
  [addressRange, '10.9.8.0', NO_RANGE],
  [addressRange, '10.9.8.0/33', NO_RANGE],
  [addressRange, '10.9.8.0/24/1', NO_RANGE],
  [addressRange, 'a/8', NO_RANGE],
  [addressRange, '10.9.8.0/024', 'must not have leading 0s in IP or prefix length'],
  [addressRange, '010.9.8.0/24', 'must not have leading 0s in IP or prefix length'],
  [addressRange, '::ffff:10.0.0.0/120', 'must not have an IPv4-mapped IPv6 address'],
  [addressRange, '10.9.8.1/24', 'must not have bits set beyond the prefix length'],
  [addressRange, '2001:db8::1/64', 'must not have bits set beyond the prefix length'],
];
for (const [check, value, expected] of cases) {
  test(`${check.name}: ${value}`, () => assert.equal(said(check(value, '')), expected));
}
