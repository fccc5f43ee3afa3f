import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { machineAddresses } from './machine-addresses.ts';
import { addressesOf, checkPort, reachableAddress } from './port.ts';
import { UserError } from './user-error.ts';

test('the API listens on loopback, and elsewhere only when it is told so', () => {
  assert.deepEqual(addressesOf(undefined), ['127.0.0.1']);
  assert.deepEqual(addressesOf('127.0.0.1'), ['127.0.0.1']);
  assert.deepEqual(addressesOf('192.0.2.7'), ['127.0.0.1', '192.0.2.7']);
  assert.deepEqual(addressesOf('0.0.0.0'), ['0.0.0.0']);
  assert.deepEqual(addressesOf('::'), ['::']);
  for (const own of [undefined, '127.0.0.1', '::1']) assert.equal(reachableAddress(own), undefined);
  assert.equal(reachableAddress('192.0.2.7'), '192.0.2.7');
  assert.equal(reachableAddress('0.0.0.0'), machineAddresses()[0]);
});

test('a port that cannot be had is said, with the address', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.2', resolve));
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  await assert.rejects(
    checkPort(address.port, ['127.0.0.1', '127.0.0.2']),
    new UserError(
      `Port ${address.port} on 127.0.0.2 is in use: end what listens there, or give another --port.`,
    ),
  );
  await assert.rejects(checkPort(0, ['198.51.100.99']), /This machine has no address 198\.51\.100\.99/);
  await checkPort(address.port, ['127.0.0.1']);
  await new Promise((resolve) => server.close(resolve));
});
