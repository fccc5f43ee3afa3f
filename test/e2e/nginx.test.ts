// The seed's manifest as a newcomer meets it: applied with kubectl, its pods in order, its claims of the size asked
// for, its names answered, and its data outliving a pod.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, NGINX_MANIFEST, noContainers, TestStead } from '../kit/stead.ts';

const DOMAIN = 'nginx.default.svc.cluster.local';
const HTML = '/usr/share/nginx/html';

describe("the seed's manifest", { skip: noContainers }, () => {
  let stead: TestStead;

  before(async () => {
    stead = await TestStead.start('nginx-slim', 'toolbox');
  });
  after(() => stead?.purge());

  it('is applied, and applied again changes nothing; each pod waits for its predecessor', async () => {
    const watch = stead.watch('pods');
    try {
      assert.equal(
        await stead.kubectl('apply', '-f', NGINX_MANIFEST),
        'service/nginx created\nstatefulset.apps/web created\n',
      );
      await stead.ready('web', 2);
      assert.equal(
        await stead.kubectl('apply', '-f', NGINX_MANIFEST),
        'service/nginx unchanged\nstatefulset.apps/web unchanged\n',
      );
      const isReady = ({ object }: (typeof watch.events)[number]): boolean =>
        object.status?.phase === 'Running' &&
        object.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
      const { events } = await eventually(
        'web-1 is seen',
        async () => watch,
        (seen) => seen.events.some((event) => event.object.metadata.name === 'web-1'),
      );
      const firstOfSecond = events.findIndex(({ object }) => object.metadata.name === 'web-1');
      const readyFirst = events.findIndex(
        (event) => event.object.metadata.name === 'web-0' && isReady(event),
      );
      assert.ok(
        readyFirst >= 0 && readyFirst < firstOfSecond,
        `web-0 ready at ${readyFirst}, web-1 at ${firstOfSecond}`,
      );
    } finally {
      watch.stop();
    }
  });

  it('shows in kubectl get, describe, logs and wait', async () => {
    const wide = await stead.kubectl('get', 'sts,po,pvc,pv,svc,endpoints,endpointslices', '-o', 'wide');
    assert.match(wide, /statefulset\.apps\/web +2\/2 +\S+ +nginx +k8s\.gcr\.io\/nginx-slim:0\.8/);
    assert.match(wide, /pod\/web-0 +1\/1 +Running +0 +\S+ +\d+\.\d+\.\d+\.\d+/);
    assert.match(wide, /persistentvolumeclaim\/www-web-1 +Bound +pvc-\S+ +200Mi +RWO +storage-local/);
    assert.match(wide, /service\/nginx +ClusterIP +None +<none> +80\/TCP/);
    const description = await stead.kubectl('describe', 'sts/web', 'pod/web-0', 'pvc/www-web-0', 'svc/nginx');
    assert.match(description, /SuccessfulCreate.*create Pod web-0 in StatefulSet web successful/);
    assert.match(description, /Successfully assigned default\/web-0/);
    await stead.kubectl('wait', '--for=condition=Ready', 'pod/web-0', 'pod/web-1', '--timeout=60s');
    await fetch(`http://${await stead.field('pod/web-0', '.status.podIP')}/logged`);
    assert.match(
      await eventually(
        'the log has the request',
        () => stead.kubectl('logs', 'web-0'),
        (text) => text.includes('/logged'),
      ),
      /GET \/logged HTTP\/1\.1" 404/,
    );
    assert.match(
      await stead.kubectl('get', 'pods', '-l', 'app=nginx', '-o', 'name'),
      /pod\/web-0\npod\/web-1/,
    );
  });

  it('gives each pod its name, and carries exit codes and standard input through exec', async () => {
    for (const pod of ['web-0', 'web-1']) assert.equal((await stead.exec(pod, 'hostname')).trim(), pod);
    const failed = await stead.tryKubectl([
      'exec',
      'web-0',
      '--',
      'sh',
      '-c',
      'echo out; echo err >&2; exit 3',
    ]);
    assert.deepEqual([failed.code, failed.stdout], [3, 'out\n']);
    assert.match(failed.stderr, /^err\n/);
    const echoed = await stead.tryKubectl(['exec', '-i', 'web-0', '--', 'cat'], 'to the end of file');
    assert.deepEqual([echoed.code, echoed.stdout], [0, 'to the end of file']);
  });

  it('stops a pod at the size of its claim', async () => {
    const phases = await stead.kubectl(
      'get',
      'pvc',
      '-o',
      'jsonpath={range .items[*]}{.metadata.name}={.status.phase} {end}',
    );
    assert.equal(phases.trim(), 'www-web-0=Bound www-web-1=Bound');
    assert.equal(
      await stead.field('storageclass/storage-local', '.volumeBindingMode'),
      'WaitForFirstConsumer',
    );
    const { volumes }: { volumes: string } = JSON.parse(await stead.must('status', '-o', 'json'));
    if (volumes.startsWith('directory')) return;
    await stead.exec('web-0', 'dd', 'if=/dev/zero', `of=${HTML}/most`, 'bs=1M', 'count=190');
    const full = await stead.tryKubectl([
      'exec',
      'web-0',
      '--',
      'dd',
      'if=/dev/zero',
      `of=${HTML}/rest`,
      'bs=1M',
      'count=64',
    ]);
    assert.notEqual(full.code, 0);
    assert.match(full.stderr, /No space left on device/);
    await stead.exec('web-0', 'rm', `${HTML}/most`, `${HTML}/rest`);
  });

  it('answers its names, from the host and from another pod', async () => {
    const ips = [
      await stead.field('pod/web-0', '.status.podIP'),
      await stead.field('pod/web-1', '.status.podIP'),
    ];
    assert.deepEqual(await stead.addresses(`web-0.${DOMAIN}`), [ips[0]]);
    assert.deepEqual(await stead.addresses(DOMAIN), [...ips].sort());
    const records = await stead.resolver().resolveSrv(`_web._tcp.${DOMAIN}`);
    assert.deepEqual(records.map(({ name, port }) => `${name}:${port}`).sort(), [
      `web-0.${DOMAIN}:80`,
      `web-1.${DOMAIN}:80`,
    ]);
    await stead.kubectl(
      'run',
      'asker',
      '--image=stead.dev/toolbox:1',
      '--restart=Never',
      '--',
      'sleep',
      '3600',
    );
    await stead.kubectl('wait', '--for=condition=Ready', 'pod/asker', '--timeout=60s');
    assert.match(await stead.exec('asker', 'getent', 'hosts', 'web-0.nginx'), new RegExp(`^${ips[0]}\\s`));
    const both = await stead.exec('asker', 'getent', 'ahostsv4', DOMAIN);
    for (const ip of ips) assert.ok(both.includes(`${ip} `), both);
    const srv = await stead.exec('asker', 'drill', `_web._tcp.${DOMAIN}`, 'SRV');
    for (const pod of ['web-0', 'web-1']) assert.match(srv, new RegExp(`80 ${pod}\\.${DOMAIN}\\.`));
  });

  it('keeps data, name and DNS name when a pod dies', async () => {
    const [ip, uid] = [
      await stead.field('pod/web-1', '.status.podIP'),
      await stead.field('pod/web-1', '.metadata.uid'),
    ];
    await stead.exec('web-1', 'sh', '-c', `echo kept > ${HTML}/index.html`);
    await stead.kubectl('delete', 'pod', 'web-1');
    await eventually(
      'a new web-1',
      () => stead.field('pod/web-1', '.metadata.uid'),
      (now) => now !== '' && now !== uid,
    );
    await stead.kubectl('wait', '--for=condition=Ready', 'pod/web-1', '--timeout=60s');
    const newIp = await stead.field('pod/web-1', '.status.podIP');
    assert.notEqual(newIp, ip);
    assert.deepEqual(
      await eventually(
        'the name follows',
        () => stead.addresses(`web-1.${DOMAIN}`),
        ([first]) => first === newIp,
      ),
      [newIp],
    );
    assert.equal(await stead.exec('asker', 'curl', '-s', 'http://web-1.nginx/'), 'kept\n');
  });

  it('forwards a port and takes patches', async () => {
    await stead.kubectl(
      'patch',
      'sts',
      'web',
      '--type=merge',
      '-p',
      '{"metadata":{"annotations":{"a":"1"}}}',
    );
    await stead.kubectl(
      'patch',
      'sts',
      'web',
      '--type=json',
      '-p',
      '[{"op":"remove","path":"/metadata/annotations/a"}]',
    );
    await stead.kubectl('annotate', 'sts', 'web', 'b=2');
    assert.equal(await stead.field('sts/web', '.metadata.annotations.b'), '2');
    await stead.kubectl('explain', 'statefulset.spec.replicas');
  });

  it('is seen whole in stead status', async () => {
    const status = await stead.must('status');
    assert.match(status, /statefulset default\/web {2}2\/2 ready/);
    assert.match(status, new RegExp(`web-0\\.${DOMAIN.replaceAll('.', '\\.')} → \\d`));
    assert.match(status, /claim www-web-1 {2}Bound {2}200Mi/);
  });

  it('goes when it is deleted; its claims stay', async () => {
    await stead.kubectl('delete', '-f', NGINX_MANIFEST);
    await eventually(
      'its pods are gone',
      () => stead.kubectl('get', 'pods', '-l', 'app=nginx', '-o', 'name'),
      (names) => names === '',
    );
    assert.match(
      await stead.kubectl('get', 'pvc', '-o', 'name'),
      /www-web-0\npersistentvolumeclaim\/www-web-1/,
    );
  });
});
