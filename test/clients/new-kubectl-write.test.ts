// The newest kubectl writes: apply, diff, patch, edit, replace, scale, roll out, and what it says when it is refused.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startSimulated } from '../kit/simulated-stead.ts';
import { NGINX_MANIFEST, type TestStead } from '../kit/stead.ts';
import { findGoPrograms } from './go-programs.ts';
import { KubectlProgram } from './kubectl-program.ts';

const found = findGoPrograms();

const INVALID = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: wrong}
spec:
  replica: 2
  serviceName: wrong
  selector: {matchLabels: {app: wrong}}
  template:
    metadata: {labels: {app: wrong}}
    spec:
      containers: [{name: c, image: i, imagee: j}]
`;

describe('the newest kubectl writes', { skip: 'why' in found && found.why }, () => {
  let stead: TestStead;
  let kubectl: KubectlProgram;
  const manifest = readFileSync(NGINX_MANIFEST, 'utf8');

  before(async () => {
    assert.ok('kubectl' in found);
    stead = await startSimulated();
    kubectl = new KubectlProgram(found.kubectl, stead);
    await kubectl.run('apply', '-f', NGINX_MANIFEST);
  });
  after(async () => {
    kubectl?.close();
    await stead?.purge();
  });

  it('is the version it was built from, and content with the server', async () => {
    const { stdout, stderr } = await kubectl.try(['version']);
    assert.match(stdout, /Client Version: v1\.\d+\.\d+\n[\s\S]*Server Version: v1\.\d+\.\d+\+stead/);
    assert.equal(stderr, '');
  });

  it('applies again without a change, and shows what a change would be', async () => {
    const unchanged = 'service/nginx unchanged\nstatefulset.apps/web unchanged\n';
    assert.equal(await kubectl.run('apply', '-f', NGINX_MANIFEST), unchanged);
    const { code, stdout } = await kubectl.try(['diff', '-f', '-'], {
      input: manifest.replace('replicas: 2', 'replicas: 3'),
    });
    assert.equal(code, 1);
    assert.match(stdout, /^- {2}replicas: 2\n\+ {2}replicas: 3$/m);
    assert.equal((await kubectl.try(['diff', '-f', NGINX_MANIFEST])).code, 0);
  });

  it('applies on the server: conflicts, force, ownership', async () => {
    const three = kubectl.file('three.yaml', manifest.replace('replicas: 2', 'replicas: 3'));
    assert.match(
      await kubectl.refused('apply', '--server-side', '-f', three),
      /Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps\/v1: \.spec\.replicas/,
    );
    assert.equal(
      await kubectl.run('apply', '--server-side', '--force-conflicts', '-f', three),
      'service/nginx serverside-applied\nstatefulset.apps/web serverside-applied\n',
    );
    assert.match(
      await kubectl.refused(
        'apply',
        '--server-side',
        '--field-manager=other',
        '--dry-run=server',
        '-f',
        NGINX_MANIFEST,
      ),
      /conflict with "kubectl": \.spec\.replicas/,
    );
    const fields = await kubectl.run('get', 'sts/web', '--show-managed-fields', '-o', 'json');
    const owners: Array<{ manager: string; operation: string }> = JSON.parse(fields).metadata.managedFields;
    assert.ok(owners.some(({ manager, operation }) => manager === 'kubectl' && operation === 'Apply'));
  });

  it('patches in every form, and subresources', async () => {
    const patch = (...args: string[]): Promise<string> => kubectl.run('patch', 'sts/web', ...args);
    const patched = 'statefulset.apps/web patched\n';
    assert.equal(await patch('-p', '{"spec":{"template":{"metadata":{"annotations":{"a":"1"}}}}}'), patched);
    assert.equal(await patch('--type=merge', '-p', '{"spec":{"minReadySeconds":1}}'), patched);
    // kubectl compares the whole object, and the status of the set is on the move: the service is only this test's.
    assert.equal(
      await kubectl.run(
        'patch',
        'svc/nginx',
        '--type=merge',
        '-p',
        '{"metadata":{"labels":{"app":"nginx"}}}',
      ),
      'service/nginx patched (no change)\n',
    );
    assert.equal(
      await patch('--type=json', '-p', '[{"op":"replace","path":"/spec/minReadySeconds","value":0}]'),
      patched,
    );
    const scale = ['--subresource=scale', '-p', '{"spec":{"replicas":2}}'];
    assert.equal(await patch(...scale), 'scale.autoscaling/web patched\n');
    assert.equal(
      await patch('--subresource=status', '--type=merge', '-p', '{"status":{"collisionCount":3}}'),
      patched,
    );
    assert.equal(await stead.field('sts/web', '.spec.replicas} {.status.collisionCount'), '2 3');
  });

  it('says why a patch is refused', async () => {
    const refused = (...args: string[]): Promise<string> => kubectl.refused('patch', 'sts/web', ...args);
    assert.equal(
      await refused('--type=json', '-p', '[{"op":"test","path":"/spec/replicas","value":7}]'),
      'The request is invalid: the server rejected our request due to an error in our request: testing path "/spec/replicas" value failed: test failed\n',
    );
    assert.match(
      await refused('-p', '{"spec":{"replicas":"x"}}'),
      /cannot unmarshal string into Go struct field StatefulSetSpec\.spec\.replicas/,
    );
    assert.match(
      await refused('-p', '{"spec":{"serviceName":"x"}}'),
      /^The StatefulSet "web" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas'/,
    );
  });

  it('edits, with an editor that changes, changes nothing, or breaks the object', async () => {
    const edit = (editor: string, ...args: string[]) =>
      kubectl.try(['edit', 'sts/web', ...args], { env: { KUBE_EDITOR: editor } });
    assert.equal(
      (await edit("sed -i 's/^  replicas: 2/  replicas: 1/'")).stdout,
      'statefulset.apps/web edited\n',
    );
    assert.match((await edit('true')).stderr, /Edit cancelled, no changes made/);
    const invalid = await edit("sed -i 's/^  replicas: 1/  replicas: -1/'");
    assert.match(invalid.stderr, /statefulsets\.apps "web" is invalid/);
    const status = await edit("sed -i 's/^  collisionCount: 3/  collisionCount: 4/'", '--subresource=status');
    assert.equal(status.stdout, 'statefulset.apps/web edited\n', status.stderr);
    assert.equal(await stead.field('sts/web', '.status.collisionCount'), '4');
  });

  it('replaces: in place, not over a newer version, and by force', async () => {
    const file = kubectl.file('got.yaml', await kubectl.run('get', 'sts/web', '-o', 'yaml'));
    await kubectl.run('annotate', 'sts/web', 'newer=yes');
    assert.match(
      await kubectl.refused('replace', '-f', file),
      /Error from server \(Conflict\): error when replacing .*: Operation cannot be fulfilled on statefulsets\.apps "web": the object has been modified; please apply your changes to the latest version and try again/,
    );
    const fresh = kubectl.file('got.yaml', await kubectl.run('get', 'sts/web', '-o', 'yaml'));
    assert.equal(await kubectl.run('replace', '-f', fresh), 'statefulset.apps/web replaced\n');
    assert.match(
      await kubectl.run('replace', '--force', '-f', fresh),
      /deleted[\s\S]*statefulset\.apps\/web replaced/,
    );
  });

  it('scales, with a condition', async () => {
    assert.equal(
      await kubectl.run('scale', 'sts/web', '--replicas=2', '--current-replicas=1'),
      'statefulset.apps/web scaled\n',
    );
    assert.match(
      await kubectl.refused('scale', 'sts/web', '--replicas=3', '--current-replicas=9'),
      /Expected replicas to be 9, was 2/,
    );
  });

  it('rolls out, back, and anew', async () => {
    const rolledOut = () => kubectl.run('rollout', 'status', 'sts/web', '--timeout=60s');
    assert.match(await rolledOut(), /partitioned roll out complete: 2 new pods have been updated/);
    await kubectl.run('set', 'image', 'sts/web', 'nginx=nginx:2');
    await rolledOut();
    assert.match(
      await kubectl.run('rollout', 'history', 'sts/web'),
      /REVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>\n/,
    );
    assert.match(await kubectl.run('rollout', 'history', 'sts/web', '--revision=2'), /Image:\tnginx:2/);
    assert.equal(
      await kubectl.run('rollout', 'undo', 'sts/web', '--to-revision=1'),
      'statefulset.apps/web rolled back\n',
    );
    assert.match(
      await kubectl.refused('rollout', 'undo', 'sts/web', '--to-revision=99'),
      /unable to find specified revision 99 in history/,
    );
    await rolledOut();
    assert.equal(await stead.field('pod/web-1', '.spec.containers[0].image'), 'k8s.gcr.io/nginx-slim:0.8');
    assert.equal(await kubectl.run('rollout', 'restart', 'sts/web'), 'statefulset.apps/web restarted\n');
    await rolledOut();
    assert.notEqual(
      await stead.field('pod/web-0', '.metadata.annotations.kubectl\\.kubernetes\\.io/restartedAt'),
      '',
    );
    assert.match(await kubectl.refused('rollout', 'pause', 'sts/web'), /pausing is not supported/);
  });

  it('sets parts of the template, labels and annotations', async () => {
    await kubectl.run('set', 'env', 'sts/web', 'A=B');
    assert.match(await kubectl.run('set', 'env', 'sts/web', '--list'), /^A=B$/m);
    await kubectl.run('set', 'resources', 'sts/web', '--limits=cpu=100m');
    await kubectl.run('set', 'serviceaccount', 'sts/web', 'default');
    assert.equal(await kubectl.run('label', 'sts/web', 'x=1'), 'statefulset.apps/web labeled\n');
    assert.match(
      await kubectl.refused('label', 'sts/web', 'x=2'),
      /'x' already has a value \(1\), and --overwrite is false/,
    );
    assert.equal(await kubectl.run('label', 'sts/web', 'x-'), 'statefulset.apps/web unlabeled\n');
    assert.equal(await kubectl.run('annotate', 'sts/web', 'x=1'), 'statefulset.apps/web annotated\n');
  });

  it('is told of unknown fields as strictly as it asks', async () => {
    const file = kubectl.file('invalid.yaml', INVALID);
    assert.match(
      await kubectl.refused('create', '-f', file),
      /Error from server \(BadRequest\): error when creating .*: StatefulSet in version "v1" cannot be handled as a StatefulSet: strict decoding error: unknown field "spec\.replica", unknown field "spec\.template\.spec\.containers\[0\]\.imagee"/,
    );
    const warned = await kubectl.try(['create', '-f', file, '--validate=warn', '--dry-run=server']);
    assert.equal(warned.stdout, 'statefulset.apps/wrong created (server dry run)\n');
    assert.equal(
      warned.stderr,
      'Warning: unknown field "spec.replica"\nWarning: unknown field "spec.template.spec.containers[0].imagee"\n',
    );
    const ignored = await kubectl.try(['create', '-f', file, '--validate=ignore', '--dry-run=server']);
    assert.deepEqual([ignored.code, ignored.stderr], [0, '']);
    assert.equal(await stead.field('sts/wrong', '.metadata.name'), '');
  });

  it('creates by its generators', async () => {
    const created: Array<[string, string]> = [
      ['cm c1 --from-literal=a=b', 'configmap/c1'],
      ['secret generic s1 --from-literal=a=b', 'secret/s1'],
      ['secret docker-registry d1 --docker-server=a --docker-username=b --docker-password=c', 'secret/d1'],
      ['ns n1', 'namespace/n1'],
      ['sa sa1', 'serviceaccount/sa1'],
      ['quota q1 --hard=pods=100', 'resourcequota/q1'],
      ['role r1 --verb=get --resource=pods', 'role.rbac.authorization.k8s.io/r1'],
      ['rolebinding rb1 --role=r1 --serviceaccount=default:sa1', 'rolebinding.rbac.authorization.k8s.io/rb1'],
      ['clusterrole cr1 --verb=get --resource=nodes', 'clusterrole.rbac.authorization.k8s.io/cr1'],
      [
        'clusterrolebinding crb1 --clusterrole=cr1 --user=u',
        'clusterrolebinding.rbac.authorization.k8s.io/crb1',
      ],
      ['pdb pdb1 --selector=app=x --max-unavailable=1', 'poddisruptionbudget.policy/pdb1'],
      ['priorityclass pc1 --value=10', 'priorityclass.scheduling.k8s.io/pc1'],
      ['svc clusterip svc1 --tcp=80', 'service/svc1'],
      ['svc nodeport svc2 --tcp=80 --node-port=30001', 'service/svc2'],
      ['svc externalname svc3 --external-name=x.y', 'service/svc3'],
    ];
    for (const [args, object] of created) {
      assert.equal(await kubectl.run('create', ...args.split(' ')), `${object} created\n`);
    }
    assert.match(await kubectl.refused('create', 'cm', 'c1'), /configmaps "c1" already exists/);
    assert.match(
      await kubectl.refused('create', 'cm', 'C_1'),
      /a lowercase RFC 1123 subdomain must consist of/,
    );
    assert.equal(await kubectl.run('run', 'p1', '--image=nginx'), 'pod/p1 created\n');
    assert.equal(await kubectl.run('expose', 'pod', 'p1', '--port=80'), 'service/p1 exposed\n');
    const token = await kubectl.run('create', 'token', 'sa1', '--duration=10m', '--audience=x');
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    assert.deepEqual([claims.sub, claims.aud], ['system:serviceaccount:default:sa1', ['x']]);
  });

  it('builds and applies a kustomization', async () => {
    const directory = join(kubectl.home, 'kustomization');
    mkdirSync(directory);
    kubectl.file('kustomization/nginx.yaml', manifest);
    kubectl.file(
      'kustomization/kustomization.yaml',
      `namePrefix: k-
labels: [{pairs: {team: a}, includeSelectors: true}]
resources: [nginx.yaml]
configMapGenerator: [{name: cfg, literals: [a=b]}]
`,
    );
    assert.match(
      await kubectl.run('apply', '-k', directory),
      /^configmap\/k-cfg-\w+ created\nservice\/k-nginx created\nstatefulset\.apps\/k-web created\n$/,
    );
    assert.equal((await kubectl.try(['diff', '-k', directory])).code, 0);
    assert.match(await kubectl.run('delete', '-k', directory), /statefulset\.apps "k-web" deleted/);
  });
});
