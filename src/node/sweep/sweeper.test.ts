import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { pods } from '../../api/resources/pods/definition.ts';
import { startTestControlPlane } from '../../testing/test-control-plane.ts';
import { runCommand } from '../machine/command.ts';
import type { Sandbox } from '../runtime.ts';
import type { Owners } from './stray.ts';
import { strayDirectories, strayLeases, strayResults } from './strays.ts';
import { Sweeper, type SweepOptions } from './sweeper.ts';

const sandbox = (id: string, podUid: string): Sandbox => ({
  id,
  podUid,
  namespace: 'default',
  name: 'p',
  attempt: 0,
  ready: true,
  createdAtMs: 0,
  ips: [],
});

describe('what nobody owns', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'stead-sweep-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** A sweeper over a runtime with these sandboxes. */
  async function sweeperOf(sandboxes: Sandbox[], options: Pick<SweepOptions, 'atStart' | 'find'>) {
    const cluster = await startTestControlPlane();
    const runtime = { listSandboxes: async () => sandboxes };
    return { cluster, sweeper: new Sweeper(cluster.context, { nodeName: 'node-1', runtime, ...options }) };
  }

  it('goes when it was found twice; what has an owner by then stays', async () => {
    const sandboxes = [sandbox('one', 'uid-1')];
    const uid = (name: string): string => name;
    const find = (owners: Owners) => strayDirectories(directory, uid, runCommand, owners);
    const { cluster, sweeper } = await sweeperOf(sandboxes, { atStart: async () => [], find });
    const pod = await cluster.client.create(pods, {
      metadata: { namespace: 'default', name: 'known' },
      spec: { nodeName: 'node-1', containers: [{ name: 'app', image: 'app' }] },
    });
    for (const name of ['uid-1', 'uid-2', 'uid-3', pod.metadata.uid]) mkdirSync(join(directory, name));
    await sweeper.look();
    assert.equal(readdirSync(directory).length, 4);
    sandboxes.push(sandbox('two', 'uid-2'));
    await sweeper.look();
    assert.deepEqual(readdirSync(directory).sort(), ['uid-1', 'uid-2', pod.metadata.uid].sort());
    await cluster.stop();
  });

  it('goes at once at the start, and one that cannot be removed does not keep the others', async () => {
    const removed: string[] = [];
    const stray = (what: string) => ({
      what,
      remove: async () => {
        if (what === 'busy') throw new Error('busy');
        removed.push(what);
      },
    });
    const { cluster, sweeper } = await sweeperOf([], {
      atStart: async () => [stray('one'), stray('busy'), stray('two')],
      find: async () => [],
    });
    await sweeper.start();
    assert.deepEqual(removed, ['one', 'two']);
    await cluster.stop();
  });

  it('is told from what sandboxes have: addresses and results', async () => {
    const owners: Owners = {
      sandboxIds: new Set(['aaa']),
      allRun: true,
      sandboxPods: new Set(),
      pods: new Set(),
    };
    writeFileSync(join(directory, '10.244.0.2'), 'aaa\r\neth0');
    writeFileSync(join(directory, '10.244.0.3'), 'bbb\r\neth0');
    writeFileSync(join(directory, 'last_reserved_ip.0'), '10.244.0.3');
    writeFileSync(join(directory, 'stead-stead0-aaa-eth0'), '{}');
    writeFileSync(join(directory, 'stead-stead0-bbb-eth0'), '{}');
    writeFileSync(join(directory, 'stead-stead01-bbb-eth0'), '{}');
    const found = [
      ...(await strayLeases(directory, owners)),
      ...(await strayResults(directory, 'stead-stead0', owners)),
    ];
    for (const { remove } of found) await remove();
    assert.deepEqual(readdirSync(directory).sort(), [
      '10.244.0.2',
      'last_reserved_ip.0',
      'stead-stead0-aaa-eth0',
      'stead-stead01-bbb-eth0',
    ]);
    assert.ok(existsSync(directory));
  });
});
