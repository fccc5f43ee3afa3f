import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { allResources } from '../api/resources/all.ts';
import { UserError } from '../cluster/process/user-error.ts';
import { readManifests, withResources } from './manifests.ts';

describe('reading manifests', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'stead-manifests-'));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const refused = (source: string, message: RegExp): Promise<void> =>
    assert.rejects(readManifests([source]), (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, message);
      return true;
    });

  it('takes many documents, empty ones and Lists, in YAML and JSON', async () => {
    const yaml = file(
      'a.yaml',
      '# none\n---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: apps/v1, kind: StatefulSet, metadata: {name: b}}\n',
    );
    const json = file('b.json', '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}');
    const manifests = withResources(await readManifests([yaml, json]), allResources);
    assert.deepEqual(
      manifests.map(({ resource, object }) => `${resource.plural}/${object.metadata.name}`),
      ['services/a', 'statefulsets/b', 'configmaps/c'],
    );
  });

  it('reads from an address', async () => {
    const server = createServer((request, response) => {
      response.writeHead(request.url === '/ok' ? 200 : 404);
      response.end('apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = server.address();
      const base = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
      assert.equal((await readManifests([`${base}/ok`]))[0]?.object.kind, 'Secret');
      await refused(`${base}/no`, /cannot be read: the server answered 404/);
    } finally {
      server.close();
    }
  });

  it('says what is wrong and where', async () => {
    await refused(join(directory, 'none.yaml'), /none\.yaml cannot be read: .*no such file/);
    await refused(file('bad.yaml', 'a: [1\n'), /bad\.yaml, document 1 is not YAML/);
    await refused(
      file('kindless.yaml', 'a: 1\n'),
      /document 1 is no Kubernetes object: it needs apiVersion and kind/,
    );
    await refused(file('nameless.yaml', 'apiVersion: v1\nkind: Pod\n'), /has no metadata/);
    await refused(
      file('null.yaml', 'apiVersion: v1\nkind:\nmetadata: {name: a}\n'),
      /document 1 .*its kind must/,
    );
    await refused(file('one.yaml', 'apiVersion: 1\nkind: Pod\nmetadata: {name: a}\n'), /its apiVersion must/);
    await refused(
      file('empty.yaml', '---\n---\napiVersion: v1\nkind: Pod\nmetadata: {}\n'),
      /document 2 \(Pod\) has no metadata\.name/,
    );
    const odd = file('odd.yaml', 'apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\n');
    const jobs = await readManifests([odd]);
    assert.throws(() => withResources(jobs, allResources), {
      name: 'UserError',
      message: /odd\.yaml, document 1: stead serves no kind Job in batch\/v1/,
    });
  });
});
