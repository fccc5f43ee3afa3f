// Images come from a registry where there is one: by tag, through a mirror that the user has configured, and with
// the words of the registry when it has no such image.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ensureImage } from '../kit/images.ts';
import { eventually, NGINX_MANIFEST, noContainers, TestStead } from '../kit/stead.ts';
import { registryProgram, startRegistry, type TestRegistry } from './registry.ts';

const available = noContainers ? { missing: noContainers } : await registryProgram();

describe('pulling images', { skip: 'missing' in available ? available.missing : false }, () => {
  let stead: TestStead;
  let registry: TestRegistry;

  before(async () => {
    registry = await startRegistry('program' in available ? available.program : '');
    await registry.push(await ensureImage('nginx-slim'), 'nginx-slim', '0.8');
    stead = await TestStead.start();
    const mirror = join(stead.dataDirectory, 'registry', 'certs.d', 'k8s.gcr.io');
    mkdirSync(mirror, { recursive: true });
    writeFileSync(
      join(mirror, 'hosts.toml'),
      `server = "${registry.address}"\n\n[host."${registry.address}"]\n  capabilities = ["pull", "resolve"]\n`,
    );
  });
  after(async () => {
    await stead?.purge();
    await registry?.close();
  });

  it("pulls the seed's image from its registry, once", async () => {
    await stead.kubectl('apply', '-f', NGINX_MANIFEST);
    await stead.ready('web', 2);
    const messages = await eventually(
      'the events of the pull',
      () =>
        stead.kubectl(
          'get',
          'events',
          '-o',
          'jsonpath={range .items[*]}{.involvedObject.name}: {.message}{"\\n"}{end}',
        ),
      (text) => /web-1: Container image .* already present/.test(text),
    );
    assert.match(messages, /web-0: Pulling image "k8s\.gcr\.io\/nginx-slim:0\.8"/);
    assert.match(messages, /web-0: Successfully pulled image "k8s\.gcr\.io\/nginx-slim:0\.8" in /);
    const listed: Array<{ names: string[] }> = JSON.parse(await stead.must('image', 'list', '-o', 'json'));
    assert.ok(listed.some(({ names }) => names.includes('k8s.gcr.io/nginx-slim:0.8')));
  });

  it('says what the registry said of an image that it does not have', async () => {
    await stead.kubectl('run', 'absent', '--image=k8s.gcr.io/nginx-slim:9.9');
    const message = await eventually(
      'the reason',
      () => stead.field('pod/absent', '.status.containerStatuses[0].state.waiting.message'),
      (text) => text !== '',
    );
    assert.match(message, /nginx-slim:9\.9.*not found/);
  });
});
