// The newest kubectl reads: lists in every form, selectors, watches, waiting, explanations, discovery, permissions, and
// what it describes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { startSimulated } from '../kit/simulated-stead.ts';
import { eventually, NGINX_MANIFEST, type TestStead } from '../kit/stead.ts';
import { findGoPrograms } from './go-programs.ts';
import { KubectlProgram } from './kubectl-program.ts';

const found = findGoPrograms();

const CLUSTER_IN_SMALL = `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: config}, data: {key: value}}
- {apiVersion: v1, kind: Secret, metadata: {name: secret}, stringData: {key: value}}
- {apiVersion: v1, kind: ResourceQuota, metadata: {name: quota}, spec: {hard: {pods: "100"}}}
- {apiVersion: v1, kind: LimitRange, metadata: {name: limits}, spec: {limits: [{type: Container, max: {cpu: "8"}}]}}
- {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: budget}, spec: {maxUnavailable: 1, selector: {matchLabels: {app: nginx}}}}
- {apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}, value: 10}
- {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: role}, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}
- {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: binding}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: role}, subjects: [{kind: ServiceAccount, name: default, namespace: default}]}
`;

describe('the newest kubectl reads', { skip: 'why' in found && found.why }, () => {
  let stead: TestStead;
  let kubectl: KubectlProgram;

  before(async () => {
    assert.ok('kubectl' in found);
    stead = await startSimulated();
    kubectl = new KubectlProgram(found.kubectl, stead);
    await kubectl.run('apply', '-f', NGINX_MANIFEST);
    await kubectl.feed(CLUSTER_IN_SMALL, 'create');
    await stead.ready('web', 2);
  });
  after(async () => {
    kubectl?.close();
    await stead?.purge();
  });

  it('shows tables as Kubernetes has them', async () => {
    const get = (...args: string[]): Promise<string> => kubectl.run('get', ...args);
    assert.match(
      await get('all'),
      /^NAME +READY +STATUS +RESTARTS +AGE\npod\/web-0 +1\/1 +Running +0 +\S+\n[\s\S]*service\/nginx +ClusterIP +None +<none> +80\/TCP[\s\S]*statefulset\.apps\/web +2\/2/,
    );
    assert.match(
      await get('sts', '-o', 'wide'),
      /^NAME +READY +AGE +CONTAINERS +IMAGES\nweb +2\/2 +\S+ +nginx +k8s\.gcr\.io\/nginx-slim:0\.8\n$/,
    );
    assert.match(
      await get('pods', '-o', 'wide'),
      /NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\nweb-0 +1\/1 +Running +0 +\S+ +[\d.]+ +node-0 +<none> +<none>/,
    );
    assert.match(await get('pvc'), /www-web-0 +Bound +pvc-\S+ +200Mi +RWO +storage-local +<unset>/);
    assert.match(
      await get('sc'),
      /storage-local \(default\) +stead\.dev\/local +Delete +WaitForFirstConsumer +true/,
    );
    assert.match(await get('pdb'), /budget +N\/A +1 +1/);
    assert.match(await get('quota'), /quota +pods: 2\/100/);
    assert.match(await get('nodes'), /node-0 +Ready +<none>/);
    assert.match(
      await get('pods', '-l', 'app in (nginx),x!=y', '-L', 'apps.kubernetes.io/pod-index'),
      /POD-INDEX\nweb-0 .* 0\nweb-1 .* 1\n/,
    );
    assert.match(
      await get('pods', '--show-labels', '--show-kind'),
      /pod\/web-0 .*statefulset\.kubernetes\.io\/pod-name=web-0/,
    );
  });

  it('prints what is asked for, page by page, in an order', async () => {
    const get = (...args: string[]): Promise<string> => kubectl.run('get', 'pods', ...args);
    assert.equal(await get('-o', 'name', '--chunk-size=1'), 'pod/web-0\npod/web-1\n');
    assert.equal(
      await get('-o', 'jsonpath={range .items[*]}{.metadata.name}={.status.phase};{end}'),
      'web-0=Running;web-1=Running;',
    );
    assert.match(
      await get('-o', 'custom-columns=N:.metadata.name,P:.status.phase'),
      /^N +P\nweb-0 +Running\n/,
    );
    assert.equal(await get('-o', 'go-template={{range .items}}{{.metadata.name}} {{end}}'), 'web-0 web-1 ');
    assert.match(await get('--sort-by=.metadata.name', '--no-headers'), /^web-0 [\s\S]*\nweb-1 /);
    assert.equal(JSON.parse(await get('-o', 'json')).items.length, 2);
    assert.match(await get('web-0', '-o', 'yaml'), /^apiVersion: v1\nkind: Pod\nmetadata:\n/);
    assert.match(
      await kubectl.run('get', 'sts/web', '--subresource=scale', '-o', 'yaml'),
      /kind: Scale[\s\S]*selector: app=nginx/,
    );
  });

  it('selects by fields, and says which it does not know', async () => {
    const names = (selector: string): Promise<string> =>
      kubectl.run('get', 'pods', '-o', 'name', `--field-selector=${selector}`);
    assert.equal(await names('status.phase=Running,metadata.name=web-0'), 'pod/web-0\n');
    assert.equal(await names('spec.nodeName!=node-0'), '');
    assert.equal(
      await kubectl.refused('get', 'pods', '--field-selector=spec.foo=bar'),
      'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "", field selector "spec.foo=bar": field label not supported: spec.foo\n',
    );
    assert.match(
      await kubectl.refused('get', 'cm', '--field-selector=a=b'),
      /: "a" is not a known field selector: only "metadata\.name", "metadata\.namespace"\n$/,
    );
    assert.equal(
      await kubectl.refused('get', 'pod', 'none'),
      'Error from server (NotFound): pods "none" not found\n',
    );
    assert.equal(await kubectl.run('get', 'pod', 'none', '--ignore-not-found'), '');
    assert.match(
      await kubectl.refused('get', 'nothing'),
      /the server doesn't have a resource type "nothing"/,
    );
  });

  it('watches', async () => {
    const child = spawn(kubectl.command, ['get', 'cm', 'config', '-w', '--output-watch-events'], {
      env: { ...process.env, ...kubectl.env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let seen = '';
    child.stdout.on('data', (chunk) => {
      seen += chunk;
    });
    try {
      await eventually(
        'the first event',
        async () => seen,
        (text) => text.includes('ADDED'),
      );
      await kubectl.run('patch', 'cm/config', '-p', '{"data":{"more":"1"}}');
      await eventually(
        'the change',
        async () => seen,
        (text) => /MODIFIED +config +2/.test(text),
      );
    } finally {
      child.kill();
    }
  });

  it('waits', async () => {
    const wait = (...args: string[]): Promise<string> => kubectl.run('wait', ...args, '--timeout=60s');
    assert.equal(await wait('--for=condition=Ready', 'pod/web-0'), 'pod/web-0 condition met\n');
    assert.equal(
      await wait('--for=jsonpath={.status.readyReplicas}=2', 'sts/web'),
      'statefulset.apps/web condition met\n',
    );
    assert.equal(await wait('--for=create', 'pod/web-1'), 'pod/web-1 condition met\n');
    const never = await kubectl.refused('wait', '--for=delete', 'pod/web-1', '--timeout=1s');
    assert.match(never, /timed out waiting for the condition on pods\/web-1/);
  });

  it('explains, from either document', async () => {
    const explain = (...args: string[]): Promise<string> => kubectl.run('explain', ...args);
    assert.match(await explain('sts'), /^GROUP: +apps\nKIND: +StatefulSet\nVERSION: +v1\n\nDESCRIPTION:\n/);
    assert.match(
      await explain('sts.spec.updateStrategy', '--recursive'),
      / {2}rollingUpdate\t<RollingUpdateStatefulSetStrategy>\n {4}maxUnavailable\t<IntOrString>\n {4}partition\t<integer>\n {2}type\t<string>\n {2}enum: OnDelete, /,
    );
    assert.match(
      await explain('pod.spec.containers.env'),
      /FIELD: env <\[\]EnvVar>[\s\S]* {2}name\t<string> -required-/,
    );
    assert.match(
      await explain('sts.spec', '-o', 'plaintext-openapiv2'),
      /^KIND: +StatefulSet\nVERSION: +apps\/v1\n\nRESOURCE: spec <Object>/,
    );
    assert.match(await explain('events', '--api-version=events.k8s.io/v1'), /GROUP: +events\.k8s\.io/);
    assert.match(await kubectl.refused('explain', 'pod.spec.nope'), /field "nope" does not exist/);
  });

  it('discovers', async () => {
    assert.match(await kubectl.run('api-resources'), /^statefulsets +sts +apps\/v1 +true +StatefulSet$/m);
    assert.match(
      await kubectl.run('api-resources', '--categories=all', '-o', 'name'),
      /^pods\nservices\nstatefulsets\.apps\n$/m,
    );
    assert.match(await kubectl.run('api-versions'), /^apps\/v1\n[\s\S]*^v1$/m);
    assert.match(
      await kubectl.run('cluster-info'),
      /Kubernetes control plane.* is running at .*https:\/\/127\.0\.0\.1/,
    );
    assert.match(await kubectl.run('get', '--raw', '/readyz?verbose'), /readyz check passed/);
    assert.equal(await kubectl.refused('top', 'pods'), 'error: Metrics API not available\n');
  });

  it('asks what one may do', async () => {
    const as = '--as=system:serviceaccount:default:default';
    assert.match(
      await kubectl.run('auth', 'whoami'),
      /Username +stead-admin\nGroups +\[system:masters system:authenticated\]/,
    );
    assert.match(await kubectl.run('auth', 'can-i', '--list'), /^\*\.\* +\[\] +\[\] +\[\*\]$/m);
    assert.match(await kubectl.run('auth', 'can-i', '--list', as), /^pods +\[\] +\[\] +\[get\]$/m);
    assert.equal(await kubectl.run('auth', 'can-i', 'get', 'pods', as), 'yes\n');
    assert.equal((await kubectl.try(['auth', 'can-i', 'delete', 'pods', as])).stdout, 'no\n');
    assert.equal(
      await kubectl.refused('get', 'secrets', '--as=nobody'),
      'Error from server (Forbidden): secrets is forbidden: User "nobody" cannot list resource "secrets" in API group "" in the namespace "default"\n',
    );
  });

  it('describes every kind', async () => {
    const described: Array<[string, RegExp]> = [
      [
        'sts/web',
        /Replicas: +2 desired \| 2 total[\s\S]*Pods Status: +2 Running[\s\S]*StorageClass: +storage-local[\s\S]*SuccessfulCreate/,
      ],
      [
        'pod/web-0',
        /Controlled By: +StatefulSet\/web[\s\S]*ClaimName: +www-web-0[\s\S]*QoS Class: +BestEffort[\s\S]*Scheduled +\S+ +default-scheduler/,
      ],
      ['svc/nginx', /Endpoints: +[\d.]+:80,[\d.]+:80/],
      ['pvc/www-web-0', /Used By: +web-0[\s\S]*ProvisioningSucceeded/],
      ['pv', /Source:\n +Type: +LocalVolume/],
      ['node/node-0', /Non-terminated Pods: +\(2 in total\)/],
      ['sc/storage-local', /IsDefaultClass: +Yes/],
      ['pdb/budget', /Allowed disruptions: +1\n +Current: +2/],
      ['cm/config', /key:\n----\nvalue/],
      ['secret/secret', /key: +5 bytes/],
      ['ns/default', /pods +2 +100/],
      ['sa/default', /Name: +default/],
      ['role/role', /pods +\[\] +\[\] +\[get\]/],
      ['rolebinding/binding', /ServiceAccount +default +default/],
      ['clusterrole/view', /\[get list watch\]/],
      ['pc/high', /Value: +10/],
      ['quota/quota', /pods +2 +100/],
      ['limits/limits', /Container +cpu +- +8/],
      ['endpointslices', /TargetRef: +Pod\/web-0/],
      ['controllerrevisions', /Kind: +ControllerRevision/],
    ];
    for (const [object, what] of described) assert.match(await kubectl.run('describe', object), what);
    await kubectl.run('describe', 'leases', '-n', 'kube-node-lease');
    assert.match(await kubectl.refused('describe', 'pod', 'none'), /pods "none" not found/);
  });

  it('lists events of an object', async () => {
    assert.match(
      await kubectl.run('events', '--for=pod/web-0', '--types=Normal'),
      /Normal +Scheduled +Pod\/web-0 +Successfully assigned default\/web-0 to node-0/,
    );
    assert.match(
      await kubectl.run('get', 'events', '--field-selector=involvedObject.kind=StatefulSet'),
      /SuccessfulCreate +statefulset\/web/,
    );
  });
});
