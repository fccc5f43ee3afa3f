import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resolversBeyond } from './resolvers.ts';

const of = (files: Record<string, string>, asked: string[] = []): Promise<string[]> =>
  resolversBeyond(asked, async (file) => files[file] ?? Promise.reject(new Error('ENOENT'))).then((all) =>
    all.map(({ address, port }) => `${address} ${port}`),
  );

describe('the resolvers beyond', () => {
  it('are those that are named', async () => {
    const files = { '/etc/resolv.conf': 'nameserver 10.0.0.2' };
    assert.deepEqual(await of(files, ['192.0.2.1', '192.0.2.2:5353', '[fd00::1]:54']), [
      '192.0.2.1 53',
      '192.0.2.2 5353',
      'fd00::1 54',
    ]);
  });
  it('are the machine’s own, and none where it has none', async () => {
    assert.deepEqual(await of({ '/etc/resolv.conf': 'nameserver 10.0.0.2\nnameserver fd00::2' }), [
      '10.0.0.2 53',
      'fd00::2 53',
    ]);
    assert.deepEqual(await of({}), []);
  });
  it('are those behind systemd-resolved, which may ask us', async () => {
    const stub = { '/etc/resolv.conf': 'nameserver 127.0.0.53' };
    const behind = { '/run/systemd/resolve/resolv.conf': 'nameserver 10.0.0.9' };
    assert.deepEqual(await of({ ...stub, ...behind }), ['10.0.0.9 53']);
    assert.deepEqual(await of(stub), ['127.0.0.53 53']);
  });
});
