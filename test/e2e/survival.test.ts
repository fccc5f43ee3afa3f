// What outlives what: containers outlive a stead that is killed, sets and data outlive `stead down`, and nothing
// outlives `stead down --purge`.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run } from '../kit/run.ts';
import { eventually, NGINX_MANIFEST, noContainers, TestStead } from '../kit/stead.ts';

const HTML = '/usr/share/nginx/html';
const CONTAINERS =
  'jsonpath={range .items[*]}{.metadata.name} {.metadata.uid} {.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}{"\\n"}{end}';

/** Whether a process runs in a container of a stead. */
function isOf(pid: string, dataDirectory: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(dataDirectory);
  } catch {
    return false;
  }
}

describe('stead killed, stopped and purged', { skip: noContainers }, () => {
  let stead: TestStead;

  before(async () => {
    stead = await TestStead.start('nginx-slim');
    await stead.kubectl('apply', '-f', NGINX_MANIFEST);
    await stead.ready('web', 2);
    for (const pod of ['web-0', 'web-1']) await stead.exec(pod, 'sh', '-c', `hostname > ${HTML}/index.html`);
  });
  after(() => stead?.purge());

  it('goes on serving when stead is killed; the next stead adopts its containers', async () => {
    const before = await stead.kubectl('get', 'pods', '-o', CONTAINERS);
    const ip = await stead.field('pod/web-0', '.status.podIP');
    process.kill(stead.pid, 'SIGKILL');
    await eventually(
      'stead is gone',
      async () => (await stead.run('status')).code,
      (code) => code !== 0,
    );
    assert.equal(await (await fetch(`http://${ip}/`)).text(), 'web-0\n');
    await stead.up();
    await stead.ready('web', 2);
    assert.equal(await stead.kubectl('get', 'pods', '-o', CONTAINERS), before);
    assert.equal(await (await fetch(`http://${ip}/`)).text(), 'web-0\n');
    const old = await stead.field('pod/web-1', '.metadata.uid');
    await stead.kubectl('delete', 'pod', 'web-1');
    await eventually(
      'a new web-1',
      () => stead.field('pod/web-1', '.metadata.uid'),
      (uid) => uid !== '' && uid !== old,
    );
    await stead.ready('web', 2);
  });

  it('goes on with the node when only the API is killed: names, probes, ends; the next API takes it over', async () => {
    const { nodePid } = stead;
    const restarts = (): Promise<string> =>
      stead.field('pod/web-0', '.status.containerStatuses[0].restartCount');
    const before = Number(await restarts());
    process.kill(stead.pid, 'SIGKILL');
    const addresses = await stead.addresses('web-0.nginx.default.svc.cluster.local');
    assert.equal(addresses.length, 1);
    // A container that ends meanwhile is started again, and the API hears of it when it is back.
    const containers = await run('pgrep', ['--full', 'nginx: master process']);
    assert.notEqual(containers.stdout, '');
    const victim = containers.stdout.split('\n').find((pid) => isOf(pid, stead.dataDirectory));
    assert.ok(victim, 'an nginx of this stead');
    process.kill(Number(victim), 'SIGKILL');
    await eventually(
      'nginx answers again',
      () =>
        fetch(`http://${addresses[0]}/`).then(
          ({ ok }) => ok,
          () => false,
        ),
      Boolean,
    );
    await stead.up();
    assert.equal(stead.nodePid, nodePid);
    await stead.ready('web', 2);
    const total =
      Number(await restarts()) +
      Number(await stead.field('pod/web-1', '.status.containerStatuses[0].restartCount'));
    assert.ok(total > before, `${total} restarts`);
    assert.equal(await stead.exec('web-1', 'hostname'), 'web-1\n');
  });

  it('has its node back at once when that is killed, with the same containers', async () => {
    const before = await stead.kubectl('get', 'pods', '-o', CONTAINERS);
    const { nodePid } = stead;
    assert.notEqual(nodePid, 0);
    process.kill(nodePid, 'SIGKILL');
    await eventually(
      'another node process',
      async () => stead.nodePid,
      (pid) => pid !== 0 && pid !== nodePid,
    );
    await eventually(
      'names are answered',
      () => stead.addresses('web-1.nginx.default.svc.cluster.local'),
      ({ length }) => length === 1,
    );
    await eventually(
      'commands run',
      () => stead.tryKubectl(['exec', 'web-0', '--', 'hostname']),
      ({ code, stdout }) => code === 0 && stdout === 'web-0\n',
    );
    assert.equal(await stead.kubectl('get', 'pods', '-o', CONTAINERS), before);
  });

  it('adopts its containers when both are killed', async () => {
    const before = await stead.kubectl('get', 'pods', '-o', CONTAINERS);
    stead.kill();
    await stead.up();
    await stead.ready('web', 2);
    assert.equal(await stead.kubectl('get', 'pods', '-o', CONTAINERS), before);
  });

  it('is stopped in order by `stead down` though its API was killed', async () => {
    process.kill(stead.pid, 'SIGKILL');
    assert.match(await stead.must('down'), /web-1[\s\S]*web-0/);
    assert.equal(stead.nodePid, 0);
    await stead.up();
    await stead.ready('web', 2);
  });

  it('comes back in order with its data after down and up', async () => {
    const down = await stead.must('down');
    assert.match(down, /web-1[\s\S]*web-0/);
    await stead.up();
    await stead.ready('web', 2);
    const readySince = await stead.field(
      'pod/web-0',
      '.status.conditions[?(@.type=="Ready")].lastTransitionTime',
    );
    const followed = await stead.field('pod/web-1', '.metadata.creationTimestamp');
    assert.ok(readySince <= followed, `web-0 was ready at ${readySince}, web-1 made at ${followed}`);
    for (const pod of ['web-0', 'web-1'])
      assert.equal(await stead.exec(pod, 'cat', `${HTML}/index.html`), `${pod}\n`);
  });

  it('says of its node no more than it is told to', async () => {
    const log = (): string => readFileSync(join(stead.dataDirectory, 'stead.log'), 'utf8');
    await stead.must('down');
    assert.match(log(), /INFO {2}node: the node process has ended/);
    const before = log().length;
    await stead.up('--log-level', 'warn');
    await stead.ready('web', 2);
    assert.doesNotMatch(log().slice(before), /INFO/);
  });
});
