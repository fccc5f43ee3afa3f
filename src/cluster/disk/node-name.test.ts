import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { persistentVolumes } from '../../api/resources/persistent-volumes/definition.ts';
import { startTestControlPlane, type TestControlPlane } from '../../testing/test-control-plane.ts';
import { isNodeName, nodeNameOf } from './node-name.ts';
import { type Paths, pathsOf } from './paths.ts';

describe('the name of the node', () => {
  let cluster: TestControlPlane;
  let paths: Paths;
  beforeEach(async () => {
    cluster = await startTestControlPlane();
    paths = pathsOf(mkdtempSync(join(tmpdir(), 'stead-name-')));
  });
  afterEach(async () => {
    await cluster.stop();
    rmSync(paths.data, { recursive: true });
  });
  const nameOf = (asked?: string): Promise<string> => nodeNameOf(paths, asked, cluster.client);

  it('is chosen once, and cannot be had otherwise later', async () => {
    assert.equal(await nameOf('db-1'), 'db-1');
    assert.equal(await nameOf(), 'db-1');
    await assert.rejects(nameOf('db-2'), /The node of .* is called db-1, .* leave out --node-name/);
  });

  it('is the machine’s, if nobody says otherwise', async () => {
    assert.equal(await nameOf(), hostname().toLowerCase());
  });

  it('is the old one of a data directory of a time before it was written down: the one with the volumes', async () => {
    for (const name of ['after', 'before']) await cluster.addNode(name);
    await cluster.client.create(persistentVolumes, {
      metadata: { name: 'pv' },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        local: { path: '/v' },
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [
              {
                matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['before'] }],
              },
            ],
          },
        },
      },
    });
    assert.equal(await nameOf(), 'before');
    assert.equal(await nameOf(), 'before');
  });

  it('is a DNS name that fits into a label', () => {
    for (const name of ['a', 'db-1.example.com']) assert.ok(isNodeName(name), name);
    for (const name of ['', 'Db', 'a_b', '-a', 'a'.repeat(64)]) assert.ok(!isNodeName(name), name);
  });
});
