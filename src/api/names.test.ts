import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentErrors, percentOf, scaledValue } from './int-or-percent.ts';
import {
  dns1123Label,
  dns1123Subdomain,
  labelValue,
  pathSegmentName,
  portName,
  qualifiedName,
} from './names.ts';

test('DNS labels and subdomains', () => {
  for (const good of ['a', 'web-0', '0a', 'a'.repeat(63)]) assert.deepEqual(dns1123Label(good), [], good);
  assert.deepEqual(dns1123Label('a.b'), ['must not contain dots']);
  assert.deepEqual(dns1123Label('a'.repeat(64)), ['must be no more than 63 characters']);
  assert.deepEqual(dns1123Label('Web'), [
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ]);
  assert.equal(dns1123Label('a\n').length, 1);
  assert.deepEqual(dns1123Subdomain('storage.k8s-1.io'), []);
  assert.match(`${dns1123Subdomain('a_b')}`, /\(e\.g\. 'example\.com', regex used for validation is '/);
});

test('keys and values of labels', () => {
  for (const good of ['a', 'app.kubernetes.io/name', 'A_b.c-d'])
    assert.deepEqual(qualifiedName(good), [], good);
  assert.deepEqual(qualifiedName('/a'), ['prefix part must be non-empty']);
  assert.equal(qualifiedName('a/')[0], 'name part must be non-empty');
  assert.match(
    `${qualifiedName('a/b/c')}`,
    /^a valid label key must consist of .*\(e\.g\. 'example\.com\/MyName'\)$/,
  );
  assert.match(`${qualifiedName('A_/x')}`, /^prefix part a lowercase RFC 1123 subdomain/);
  assert.deepEqual(labelValue(''), []);
  assert.equal(labelValue('a b').length, 1);
  assert.deepEqual(labelValue('é'.repeat(32))[0], 'must be no more than 63 bytes');
});

test('ports, identifiers and path segments', () => {
  assert.deepEqual(portName('http-1'), []);
  assert.deepEqual(portName('1'), ['must contain at least one letter (a-z)']);
  assert.deepEqual(portName('a--b-'), [
    'must not contain consecutive hyphens',
    'must not begin or end with a hyphen',
  ]);
  assert.deepEqual(pathSegmentName('..'), ["may not be '..'"]);
  assert.deepEqual(pathSegmentName('a/b%'), ["may not contain '/'", "may not contain '%'"]);
});

test('numbers and percentages', () => {
  assert.equal(scaledValue(3, 10, false), 3);
  assert.equal(scaledValue('25%', 10, false), 2);
  assert.equal(scaledValue('25%', 10, true), 3);
  assert.throws(() => scaledValue('25', 10, true), /string is not a percentage/);
  assert.throws(() => scaledValue('x%', 10, true), /invalid value "x%"/);
  assert.equal(percentOf('150%'), 150);
  assert.equal(percentOf(5), undefined);
  assert.match(`${percentErrors('ten')}`, /^a valid percent string must be a numeric string/);
});
