// Helm 4 against stead: a chart with hooks is installed, upgraded, rolled back and uninstalled, and what fails is said.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Ran, run } from '../kit/run.ts';
import { startSimulated } from '../kit/simulated-stead.ts';
import type { TestStead } from '../kit/stead.ts';
import { findGoPrograms } from './go-programs.ts';
import { writeChart } from './helm-chart.ts';

const found = findGoPrograms();

interface Release {
  name: string;
  version: number;
  info: { status: string };
}

describe('helm', { skip: 'why' in found && found.why }, () => {
  let stead: TestStead;
  let home: string;
  let chart: string;

  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'stead-helm-'));
    chart = writeChart(home);
    stead = await startSimulated();
  });
  after(async () => {
    rmSync(home, { recursive: true, force: true });
    await stead?.purge();
  });

  /** Runs helm with a home of its own, whatever becomes of it. */
  function tryHelm(...args: string[]): Promise<Ran> {
    assert.ok('helm' in found);
    return run(found.helm, args, { env: { KUBECONFIG: stead.kubeconfig, HOME: home } });
  }
  async function helm(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await tryHelm(...args);
    assert.equal(code, 0, `helm ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  }
  async function release(): Promise<Release> {
    return JSON.parse(await helm('status', 'shop', '-o', 'json'));
  }
  const uid = (object: string): Promise<string> => stead.field(object, '.metadata.uid');

  it('installs, hooks first and by weight, and waits for the set', async () => {
    const watch = stead.watch('pods');
    try {
      await helm('install', 'shop', chart, '--wait', '--timeout', '120s');
      const { version, info } = await release();
      assert.deepEqual([version, info.status], [1, 'deployed']);
      assert.equal(await stead.field('sts/shop', '.status.readyReplicas'), '2');
      const seen = (name: string, phase: string): number =>
        watch.events.findIndex(
          ({ object }) => object.metadata.name === name && object.status?.phase === phase,
        );
      const order = [
        seen('shop-prepare', 'Succeeded'),
        seen('shop-migrate', 'Pending'),
        seen('shop-migrate', 'Succeeded'),
        seen('shop-0', 'Pending'),
        seen('shop-1', 'Running'),
        seen('shop-announce', 'Pending'),
      ];
      assert.ok(order[0] !== -1, 'the first hook has run');
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
      );
    } finally {
      watch.stop();
    }
  });

  it('lets templates ask the cluster, and shows what it installed', async () => {
    assert.equal(
      await stead.field('configmap/shop', '.data'),
      '{"greeting":"hello","namespace":"default","policy":"true","revision":"1"}',
    );
    assert.equal(await stead.field('secret/shop', '.data.password'), 'czNjcmV0');
    assert.equal(await stead.field('pdb/shop', '.spec.maxUnavailable'), '1');
    const list: Array<{ name: string; status: string; chart: string }> = JSON.parse(
      await helm('list', '-o', 'json'),
    );
    assert.deepEqual(
      list.map(({ name, status, chart: of }) => [name, status, of]),
      [['shop', 'deployed', 'db-1.0.0']],
    );
    assert.match(await helm('get', 'manifest', 'shop'), /kind: StatefulSet/);
    assert.match(await helm('status', 'shop'), /==> v1\/StatefulSet\n[^\n]*\nshop +2\/2/);
    assert.match(
      await stead.kubectl('auth', 'can-i', 'get', 'pods', '--as=system:serviceaccount:default:shop'),
      /yes/,
    );
    assert.match(await helm('test', 'shop'), /Phase: +Succeeded/);
  });

  it('upgrades: hooks run anew, objects are patched in place', async () => {
    const before = { migrate: await uid('pod/shop-migrate'), set: await uid('sts/shop') };
    await helm('upgrade', 'shop', chart, '--set', 'replicas=3,greeting=good day', '--wait');
    assert.notEqual(await uid('pod/shop-migrate'), before.migrate);
    assert.equal(await uid('sts/shop'), before.set);
    assert.equal(await stead.field('sts/shop', '.status.updatedReplicas'), '3');
    assert.equal(await stead.field('configmap/shop', '.data.greeting'), 'good day');
    assert.equal((await release()).version, 2);
  });

  it('keeps what someone else changed on fields that the chart leaves alone', async () => {
    await stead.kubectl('annotate', 'sts/shop', 'example.com/owner=ops');
    await helm('upgrade', 'shop', chart, '--set', 'replicas=3,greeting=good night', '--wait');
    assert.equal(await stead.field('sts/shop', '.metadata.annotations.example\\.com/owner'), 'ops');
  });

  it('does not take a field from someone else unless it is told to', async () => {
    await stead.kubectl('scale', 'sts/shop', '--replicas=4');
    const args = ['upgrade', 'shop', chart, '--set', 'replicas=3,greeting=good day', '--wait'];
    const { code, stderr } = await tryHelm(...args);
    assert.notEqual(code, 0);
    assert.match(stderr, /conflict with "kubectl" with subresource "scale" using apps\/v1: \.spec\.replicas/);
    await helm(...args, '--force-conflicts');
    assert.equal(await stead.field('sts/shop', '.spec.replicas'), '3');
  });

  it('waits in vain, and takes back what never gets ready', async () => {
    const version = (await release()).version;
    const args = ['upgrade', 'shop', chart, '--set', 'replicas=3,ready=false', '--wait', '--timeout', '3s'];
    const { code, stderr } = await tryHelm(...args, '--rollback-on-failure');
    assert.notEqual(code, 0);
    assert.match(stderr, /resource StatefulSet\/default\/shop not ready/);
    const { version: after, info } = await release();
    assert.deepEqual([after, info.status], [version + 2, 'deployed']);
    await stead.ready('shop', 3);
  });

  it('stops where a hook fails, and rolls back', async () => {
    const generation = await stead.field('sts/shop', '.metadata.generation');
    const { code, stderr } = await tryHelm(
      'upgrade',
      'shop',
      chart,
      '--set',
      'replicas=9,migration.exitCode=1',
    );
    assert.notEqual(code, 0);
    assert.match(stderr, /pre-upgrade hooks failed[\s\S]*shop-migrate failed/);
    assert.equal((await release()).info.status, 'failed');
    assert.equal(await stead.field('sts/shop', '.metadata.generation'), generation);

    await helm('rollback', 'shop', '1', '--wait');
    assert.equal((await release()).info.status, 'deployed');
    assert.equal(await stead.field('sts/shop', '.spec.replicas'), '2');
    assert.equal(await stead.field('configmap/shop', '.data.greeting'), 'hello');
    const history: Array<{ status: string }> = JSON.parse(await helm('history', 'shop', '-o', 'json'));
    assert.deepEqual(
      history.map(({ status }) => status),
      [
        'superseded',
        'superseded',
        'superseded',
        'failed',
        'superseded',
        'failed',
        'superseded',
        'failed',
        'deployed',
      ],
    );
  });

  it('says what is wrong with an object, and leaves no release of a dry run', async () => {
    const dry = await helm('upgrade', 'shop', chart, '--set', 'replicas=4', '--dry-run=server');
    assert.match(dry, /replicas: 4/);
    assert.equal((await release()).version, 9);
    assert.equal(await stead.field('sts/shop', '.spec.replicas'), '2');
    const wrong = await tryHelm(
      'install',
      'wrong',
      chart,
      '--set',
      'replicas=many',
      '--rollback-on-failure',
      '--no-hooks',
    );
    assert.notEqual(wrong.code, 0);
    assert.match(
      wrong.stderr,
      /cannot unmarshal string into Go struct field StatefulSetSpec\.spec\.replicas/,
    );
    assert.equal(
      await stead.kubectl('get', 'cm,secret', '-o', 'name', '-l', 'app.kubernetes.io/instance=wrong'),
      '',
    );
    const taken = await tryHelm('install', 'shop', chart);
    assert.match(taken.stderr, /cannot reuse a name that is still in use/);
  });

  it('uninstalls: all but claims and kept hooks is gone', async () => {
    await helm('uninstall', 'shop', '--wait');
    assert.equal(
      await stead.kubectl('get', 'sts,svc,cm,pdb', '-l', 'app.kubernetes.io/instance=shop', '-o', 'name'),
      '',
    );
    assert.equal(await stead.kubectl('get', 'secrets', '-o', 'name'), '');
    assert.deepEqual((await stead.kubectl('get', 'pods', '-o', 'name')).trim().split('\n').sort(), [
      'pod/shop-announce',
      'pod/shop-check',
      'pod/shop-migrate',
      'pod/shop-prepare',
    ]);
    assert.match(await stead.kubectl('get', 'pvc', '-o', 'name'), /data-shop-0/);
    assert.equal(await helm('list', '-q'), '');
  });
});
