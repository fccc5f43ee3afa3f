// What outlives what: containers outlive a stead that is killed, sets and data outlive `stead down`, and nothing
// outlives `stead down --purge`.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, NGINX_MANIFEST, noContainers, TestStead } from '../kit/stead.ts';

const HTML = '/usr/share/nginx/html';
const CONTAINERS =
  'jsonpath={range .items[*]}{.metadata.name} {.metadata.uid} {.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}{"\\n"}{end}';

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
});
