// The newest kubectl administers: nodes emptied and filled, pods and sets deleted with and without what they own, sets of
// objects pruned.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { startSimulated } from '../kit/simulated-stead.ts';
import { eventually, NGINX_MANIFEST, type TestStead } from '../kit/stead.ts';
import { findGoPrograms } from './go-programs.ts';
import { KubectlProgram } from './kubectl-program.ts';

const found = findGoPrograms();

const BUDGET = `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: quorum}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: nginx}}}
`;

const configMap = (name: string): string => `apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}, labels: {pruned: "yes"}}
`;

describe('the newest kubectl administers', { skip: 'why' in found && found.why }, () => {
  let stead: TestStead;
  let kubectl: KubectlProgram;

  before(async () => {
    assert.ok('kubectl' in found);
    stead = await startSimulated();
    kubectl = new KubectlProgram(found.kubectl, stead);
  });
  after(async () => {
    kubectl?.close();
    await stead?.purge();
  });
  beforeEach(async () => {
    await kubectl.run('apply', '-f', NGINX_MANIFEST);
    await stead.ready('web', 2);
  });

  const pods = async (): Promise<string> => kubectl.run('get', 'pods', '-l', 'app=nginx', '-o', 'name');
  const uid = (object: string): Promise<string> => stead.field(object, '.metadata.uid');

  it('drains a node as fast as the budget lets it', async () => {
    await kubectl.feed(BUDGET, 'apply');
    await eventually(
      'the budget allows one',
      () => stead.field('pdb/quorum', '.status.disruptionsAllowed'),
      (allowed) => allowed === '1',
    );
    await kubectl.run('run', 'lonely', '--image=nginx');
    await kubectl.run('wait', '--for=condition=Ready', 'pod/lonely', '--timeout=60s');
    assert.equal(await kubectl.run('cordon', 'node-0'), 'node/node-0 cordoned\n');
    assert.match(await kubectl.run('get', 'node', 'node-0'), /Ready,SchedulingDisabled/);
    assert.match(
      await kubectl.refused('drain', 'node-0'),
      /cannot delete Pods that declare no controller \(use --force to override\): default\/lonely/,
    );
    // The only node: what is evicted waits for another, and the second eviction for the budget.
    const { code, stdout, stderr } = await kubectl.try(['drain', 'node-0', '--force', '--timeout=3s']);
    assert.notEqual(code, 0);
    assert.match(stdout, /pod\/lonely evicted/);
    assert.match(
      stderr,
      /error when evicting pods\/"web-\d" -n "default" \(will retry after 5s\): Cannot evict pod as it would violate the pod's disruption budget\./,
    );
    assert.equal(await kubectl.run('uncordon', 'node-0'), 'node/node-0 uncordoned\n');
    await stead.ready('web', 2);
    assert.match(
      await kubectl.run('drain', 'node-0', '--force', '--disable-eviction', '--timeout=60s'),
      /pod\/web-0 deleted[\s\S]*node\/node-0 drained/,
    );
    await kubectl.run('uncordon', 'node-0');
    await kubectl.run('delete', 'pdb/quorum');
  });

  it('taints', async () => {
    const taint = (...args: string[]): string[] => ['taint', 'node', 'node-0', ...args];
    assert.equal(await kubectl.run(...taint('k=v:NoSchedule')), 'node/node-0 tainted\n');
    assert.match(
      await kubectl.refused(...taint('k=w:NoSchedule')),
      /already has k taint\(s\) with same effect\(s\)/,
    );
    assert.equal(await kubectl.run(...taint('k=w:NoSchedule', '--overwrite')), 'node/node-0 modified\n');
    assert.match(await kubectl.run('describe', 'node', 'node-0'), /Taints: +k=w:NoSchedule/);
    assert.equal(await kubectl.run(...taint('k-')), 'node/node-0 untainted\n');
  });

  it('deletes pods: gracefully, by force, dry, and waits until they are gone', async () => {
    const before = await uid('pod/web-0');
    assert.equal(
      await kubectl.run('delete', 'pod', 'web-0', '--dry-run=server'),
      'pod "web-0" deleted from default namespace (server dry run)\n',
    );
    assert.equal(await uid('pod/web-0'), before);
    assert.equal(await kubectl.run('delete', 'pod', 'web-0'), 'pod "web-0" deleted from default namespace\n');
    await stead.ready('web', 2);
    assert.notEqual(await uid('pod/web-0'), before);
    const forced = await kubectl.try(['delete', 'pod', 'web-1', '--grace-period=0', '--force']);
    assert.match(forced.stdout, /pod "web-1" force deleted/);
    assert.match(forced.stderr, /Immediate deletion does not wait for confirmation/);
    assert.match(await kubectl.refused('delete', 'pods', 'none'), /pods "none" not found/);
    assert.equal(await kubectl.run('delete', 'pods', 'none', '--ignore-not-found'), '');
  });

  it('deletes a set and leaves its pods, which the next one adopts', async () => {
    const before = await uid('pod/web-0');
    await kubectl.run('delete', 'sts/web', '--cascade=orphan');
    assert.equal(await pods(), 'pod/web-0\npod/web-1\n');
    assert.equal(await stead.field('pod/web-0', '.metadata.ownerReferences'), '');
    await kubectl.run('apply', '-f', NGINX_MANIFEST);
    await stead.ready('web', 2);
    assert.equal(await uid('pod/web-0'), before);
  });

  it('deletes a set after its pods, and before them', async () => {
    await kubectl.run('delete', 'sts/web', '--cascade=foreground');
    assert.equal(await pods(), '');
    await kubectl.run('apply', '-f', NGINX_MANIFEST);
    await stead.ready('web', 2);
    await kubectl.run('delete', 'sts/web', '--cascade=background');
    await kubectl.run('wait', '--for=delete', 'pods', '-l', 'app=nginx', '--timeout=60s');
    assert.equal(await pods(), '');
  });

  it('deletes a namespace with all in it, but not the default one', async () => {
    await kubectl.run('create', 'ns', 'short');
    await kubectl.run('run', 'p', '--image=nginx', '-n', 'short');
    await kubectl.run('create', 'cm', 'c', '-n', 'short');
    assert.equal(await kubectl.run('delete', 'ns', 'short'), 'namespace "short" deleted\n');
    assert.match(await kubectl.refused('get', 'ns', 'short'), /namespaces "short" not found/);
    assert.match(await kubectl.refused('delete', 'ns', 'default'), /this namespace may not be deleted/);
  });

  it('prunes what is no longer applied', async () => {
    const both = `${configMap('one')}---\n${configMap('two')}`;
    const one = configMap('one');
    const listed = ['apply', '--prune', '-l', 'pruned=yes', '--prune-allowlist=core/v1/ConfigMap'];
    await kubectl.feed(both, ...listed);
    assert.match(await kubectl.feed(one, ...listed), /configmap\/one unchanged\nconfigmap\/two pruned\n/);
    const applySet = (text: string): ReturnType<KubectlProgram['try']> =>
      kubectl.try(['apply', '--prune', '--applyset=mine', '-n', 'default', '-f', '-'], {
        env: { KUBECTL_APPLYSET: 'true' },
        input: text.replaceAll(/name: (one|two)/g, 'name: set-$1'),
      });
    assert.equal((await applySet(both)).stdout, 'configmap/set-one created\nconfigmap/set-two created\n');
    assert.equal((await applySet(one)).stdout, 'configmap/set-one unchanged\nconfigmap/set-two pruned\n');
  });

  it('debugs by a copy of a pod, and by a pod on a node', async () => {
    const copy = await kubectl.try(['debug', 'web-0', '--copy-to=copy', '--image=busybox']);
    assert.equal(copy.code, 0, copy.stderr);
    assert.match(await stead.field('pod/copy', '.spec.containers[*].image'), /nginx-slim:0\.8 busybox/);
    const node = await kubectl.try(['debug', 'node/node-0', '--image=busybox']);
    assert.match(
      node.stdout,
      /Creating debugging pod node-debugger-node-0-\w+ with container debugger on node node-0/,
    );
  });

  it('says which logs there are not', async () => {
    assert.equal(await kubectl.run('logs', 'sts/web', '--all-pods=false', '--tail=1'), '');
    assert.match(
      await kubectl.refused('logs', 'web-0', '-c', 'none'),
      /container none is not valid for pod web-0/,
    );
    assert.match(
      await kubectl.refused('logs', 'web-0', '--previous'),
      /previous terminated container "nginx" in pod "web-0" not found/,
    );
  });
});
