// Requests that would take long: each is refused for a reason, before the work is done, and nothing of it is kept.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Answered, type Besieged, besieged } from './server.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const CLAIMS = '/api/v1/namespaces/default/persistentvolumeclaims';
const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const JSON_TYPE = { 'content-type': 'application/json' };
const MEGABYTE = 1024 * 1024;

const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const map = (count: number, value: unknown = 'v'): object =>
  Object.fromEntries(many(count, (index) => [`k${index}`, value]));

describe('bodies', () => {
  let server: Besieged;

  before(async () => {
    server = await besieged();
  });
  after(() => server.stop());

  const post = (path: string, body: unknown, type = JSON_TYPE['content-type']): Promise<Answered> =>
    server.ask(path, {
      method: 'POST',
      headers: { 'content-type': type },
      body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    });
  const refuses = async (answer: Promise<Answered>, code: number, why: RegExp): Promise<void> => {
    const { code: actual, text } = await answer;
    assert.ok(why.test(text), `${why} is not in ${actual} ${text.slice(0, 300)}`);
    assert.equal(actual, code);
    assert.ok(text.length < 2 * MEGABYTE, `the refusal itself has ${text.length} characters`);
  };

  it('a quantity of many digits is none', async () => {
    for (const tail of ['x', '', 'Mi', 'e9', '.']) {
      const storage = '1'.repeat(500_000) + tail;
      const claim = {
        metadata: { name: 'q' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
      };
      await refuses(post(`${CLAIMS}?dryRun=All`, claim), 400, /quantities must match the regular expression/);
    }
  });

  it('a parameter of many digits is refused', async () => {
    const digits = '1'.repeat(50_000);
    await refuses(post(`${REVIEWS}?timeout=${digits}`, {}), 400, /invalid duration/);
    await refuses(server.ask(`${CONFIG_MAPS}?limit=${digits}`), 400, /value out of range/);
    await refuses(server.ask(`${CONFIG_MAPS}?timeoutSeconds=${digits}x`), 400, /invalid syntax/);
    await refuses(server.ask(`${CONFIG_MAPS}?continue=${digits}`), 400, /continue/);
    await refuses(server.ask(`${CONFIG_MAPS}?resourceVersion=${digits}`), 400, /resource ?[vV]ersion/);
    await refuses(post(`${CONFIG_MAPS}?fieldManager=${digits}`, {}), 422, /fieldManager: Too long/);
  });

  it('a selector of many terms is refused', async () => {
    const terms = many(5_000, (index) => `!a${index}`).join(',');
    await refuses(server.ask(`${CONFIG_MAPS}?labelSelector=${terms}`), 400, /too many terms/);
    const fields = many(2_000, (index) => `metadata.name!=n${index}`).join(',');
    await refuses(server.ask(`${CONFIG_MAPS}?fieldSelector=${fields}`), 400, /too many terms/);
    const values = many(5_000, (index) => `v${index}`).join(',');
    assert.equal((await server.ask(`${CONFIG_MAPS}?labelSelector=a+in+(${values})`)).code, 200);
  });

  it('JSON of too many values is refused before it is parsed', async () => {
    const limit = /Request entity too large: limit is \d+ values/;
    await refuses(post(CONFIG_MAPS, map(250_000, 1)), 413, limit);
    await refuses(post(CONFIG_MAPS, { metadata: { name: 'x', labels: map(150_000) } }), 413, limit);
    await refuses(post(CONFIG_MAPS, `[${'1,'.repeat(1_000_000)}1]`), 413, limit);
    await refuses(post(CONFIG_MAPS, `[${'{},'.repeat(500_000)}{}]`), 413, limit);
    await refuses(post(CONFIG_MAPS, '['.repeat(3 * MEGABYTE)), 413, limit);
    await refuses(post(CONFIG_MAPS, `"${'a'.repeat(4 * MEGABYTE)}"`), 413, /limit is 3145728/);
  });

  it('protobuf of too many fields is refused before an object is made', async () => {
    const protobuf = 'application/vnd.kubernetes.protobuf';
    const varint = (value: number): Buffer =>
      Buffer.from(value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))]);
    const field = (number: number, ...parts: (Buffer | string)[]): Buffer => {
      const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)));
      return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
    };
    const configMap = (raw: Buffer): Buffer =>
      Buffer.concat([Buffer.from('k8s\0'), field(1, field(1, 'v1'), field(2, 'ConfigMap')), field(2, raw)]);
    const labels = many(200_000, (index) => field(11, field(1, `k${index}`)));
    const limit = /Request entity too large: limit is \d+ fields/;
    for (const raw of [
      field(1, Buffer.concat(labels)),
      field(1, Buffer.alloc(2_900_000, field(14))),
      Buffer.alloc(2_900_000, field(2)),
    ]) {
      await refuses(post(CONFIG_MAPS, configMap(raw), protobuf), 413, limit);
    }
    const few = configMap(Buffer.concat([field(1, field(1, 'few')), field(2, field(1, 'k'), field(2, 'v'))]));
    assert.equal((await post(`${CONFIG_MAPS}?dryRun=All`, few, protobuf)).code, 201);
  });

  it('YAML is read elsewhere, and no more of it than of JSON', async () => {
    const yaml = 'application/yaml';
    const limit = /Request entity too large/;
    await refuses(post(REVIEWS, 'a:\n'.repeat(MEGABYTE), yaml), 413, limit);
    await refuses(post(REVIEWS, `- [${'[],'.repeat(10)}]\n`.repeat(50_000), yaml), 413, limit);
    await refuses(post(REVIEWS, `a: [${'x, '.repeat(900_000)}]`, yaml), 413, limit);
    for (const line of ['%a\n', '- *a\n', '- !a\n', '""\n', '#\n']) {
      await refuses(post(REVIEWS, line.repeat(500_000), yaml), 413, limit);
    }
    await refuses(post(REVIEWS, '"'.repeat(3_000_000), yaml), 413, limit);
    const anchors = `a: &a [${'x, '.repeat(2_000)}]\nb: [${'*a, '.repeat(50)}]\n`;
    await refuses(post(REVIEWS, anchors, yaml), 413, limit);
    const laughs = many(30, (index) => `l${index + 1}: &l${index + 1} [*l${index}, *l${index}]`).join('\n');
    await refuses(post(REVIEWS, `l0: &l0 lol\n${laughs}`, yaml), 400, /alias/i);
    const long = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: long}\ndata:\n  k: |\n${'    line\n'.repeat(50_000)}`;
    assert.equal((await post(`${CONFIG_MAPS}?dryRun=All`, long, yaml)).code, 201);
  });

  it('what comes in while YAML is read is served', async () => {
    const slow = post(REVIEWS, many(15_000, (index) => `k${index}: {a: b}`).join('\n'), 'application/yaml');
    let isRead = false;
    void slow.then(() => {
      isRead = true;
    });
    const order: boolean[] = [];
    for (let asked = 0; asked < 3; asked++) {
      await server.ask('/version');
      order.push(isRead);
    }
    assert.deepEqual(order, [false, false, false], 'answered before the document is read');
    await slow;
  });

  it('a flood of YAML is refused', async () => {
    const document = many(3_000, (index) => `k${index}: {a: b}`).join('\n');
    const answers = await Promise.all(many(60, () => post(REVIEWS, document, 'application/yaml')));
    const refused = answers.filter(({ code }) => code === 429);
    assert.ok(refused.length > 0 && refused.length < 60, `${refused.length} of 60 were refused`);
    assert.ok(refused.every(({ headers }) => headers['retry-after'] !== undefined));
  });

  it('defaults make no more of an object than may be sent', async () => {
    const containers = many(5_000, (index) => ({ name: `c${index}`, image: 'x' }));
    const pod = { metadata: { name: 'p' }, spec: { containers } };
    const answer = post('/api/v1/namespaces/default/pods?dryRun=All', pod);
    await refuses(answer, 413, /the Pod has more than \d+ values, with its defaults/);
  });

  it('a refusal tells of so many errors, and then of no more', async () => {
    const labels = Object.fromEntries(many(10_000, (index) => [`-bad-${index}`, 'v']));
    const answer = post(CONFIG_MAPS, { metadata: { name: 'x', labels } });
    await refuses(answer, 422, /is invalid/);
    const { details } = JSON.parse((await answer).text);
    assert.match(details.causes.at(-1).message, /there are more errors than these/);
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: true };
    const ownerReferences = many(2_000, () => owner);
    await refuses(post(CONFIG_MAPS, { metadata: { name: 'x', ownerReferences } }), 422, /Only one reference/);
  });

  it('warnings have a limit together', async () => {
    const unknown = Object.fromEntries(many(5_000, (index) => [`${'u'.repeat(200)}${index}`, 1]));
    const { code, headers } = await post(`${CONFIG_MAPS}?dryRun=All`, {
      metadata: { name: 'x' },
      ...unknown,
    });
    assert.equal(code, 201);
    assert.ok(String(headers.warning).length < 8192, `${String(headers.warning).length}`);
    const repeated = `{"metadata":{"name":"x"},"data":{${many(9_000, (index) => `"${'k'.repeat(100)}${index % 10}":"v"`)}}}`;
    assert.equal((await post(`${CONFIG_MAPS}?dryRun=All`, repeated)).code, 201);
  });

  it('an object that etcd would not take is refused in its words', async () => {
    const annotations = { a: 'x'.repeat(300 * 1024) };
    const annotated = post(CONFIG_MAPS, { metadata: { name: 'x', annotations } });
    await refuses(annotated, 422, /metadata.annotations: Too long/);
    const data = { k: 'x'.repeat(1_200_000) };
    await refuses(post(CONFIG_MAPS, { metadata: { name: 'x' }, data }), 422, /Too long/);
    const args = many(10, () => 'x'.repeat(200_000));
    const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'x', args }] } };
    const tooLarge = post('/api/v1/namespaces/default/pods', pod);
    await refuses(tooLarge, 500, /etcdserver: request is too large/);
    const quoted = { k: '"'.repeat(1_000_000) };
    assert.equal((await post(CONFIG_MAPS, { metadata: { name: 'quoted' }, data: quoted })).code, 201);
  });

  it('patches neither blow up nor take long', async () => {
    const words = many(400, (index) => `w${index}`);
    await post(CONFIG_MAPS, {
      metadata: { name: 'patched', finalizers: words.map((word) => `a.b/${word}`) },
    });
    const patch = (body: unknown, type: string): Promise<Answered> =>
      server.ask(`${CONFIG_MAPS}/patched`, {
        method: 'PATCH',
        headers: { 'content-type': type },
        body: JSON.stringify(body),
      });
    const json = 'application/json-patch+json';
    const copy = { op: 'copy', from: '/metadata/finalizers', path: '/metadata/annotations' };
    const copies = many(3_000, (index) => ({ ...copy, path: `/metadata/a${index}` }));
    await refuses(patch(copies, json), 422, /exceeding the limit|accumulated size/);
    await refuses(
      patch(
        many(10_001, () => ({})),
        json,
      ),
      413,
      /maximum operations in a JSON patch is 10000/,
    );
    await refuses(
      patch(
        many(200, (index) => ({ ...copy, path: `/metadata/a${index}` })),
        json,
      ),
      422,
      /more than \d+ values/,
    );
    const long = many(10_000, (index) => `a.b/w${index}`);
    const fill = { op: 'add', path: '/metadata/finalizers', value: long };
    const insert = { op: 'add', path: '/metadata/finalizers/0', value: 'a.b/first' };
    await refuses(
      patch([fill, ...many(3_000, () => insert)], json),
      422,
      /move too many items of long lists/,
    );
    const strategic = 'application/strategic-merge-patch+json';
    const removed = {
      metadata: { '$deleteFromPrimitiveList/finalizers': many(10_000, (index) => `a.b/w${index}`) },
    };
    assert.equal((await patch(removed, strategic)).code, 200);
  });

  it('patches have limits like objects, and so have the paths of their operations', async () => {
    await post(CONFIG_MAPS, { metadata: { name: 'bounded' } });
    const patch = (body: unknown, type: string): Promise<Answered> =>
      server.ask(`${CONFIG_MAPS}/bounded?fieldManager=test`, {
        method: 'PATCH',
        headers: { 'content-type': `application/${type}` },
        body: JSON.stringify(body),
      });
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'bounded' }, data: map(24_000) };
    await refuses(patch(config, 'apply-patch+yaml'), 413, /more than \d+ values/);
    const nulls = { data: map(24_000, null) };
    await refuses(patch(nulls, 'strategic-merge-patch+json'), 413, /more than \d+ values/);
    await refuses(patch(nulls, 'merge-patch+json'), 413, /more than \d+ values/);
    for (const path of ['/a'.repeat(1_400_000), `/data/${'~1'.repeat(1_400_000)}`, '/a'.repeat(65)]) {
      const longer = /is longer than \d+ parts or \d+ characters/;
      await refuses(patch([{ op: 'add', path, value: 1 }], 'json-patch+json'), 422, longer);
      await refuses(patch([{ op: 'move', from: path, path: '/data' }], 'json-patch+json'), 422, longer);
    }
    const doubled = many(100, (index) => ({ op: 'copy', from: '', path: `/data${index}` }));
    await refuses(patch(doubled, 'json-patch+json'), 422, /more than \d+ values/);
  });

  it('odd headers are refused or passed over', async () => {
    const header = 'application/json;q=0.1,'.repeat(2_500);
    assert.ok([200, 406].includes((await server.ask('/api/v1/pods', { headers: { accept: header } })).code));
    // The answer may be lost: the server has closed before the client was through.
    const endless = server.ask('/version', { headers: { accept: 'x'.repeat(100_000) } });
    assert.equal(await endless.then(({ code }) => code).catch(() => 431), 431);
    const token = { authorization: `Bearer ${'x'.repeat(60_000)}` };
    assert.equal((await server.ask('/api/v1/pods', { headers: token, anonymous: true })).code, 401);
    const review = { spec: { token: 'x'.repeat(2 * MEGABYTE) } };
    assert.equal((await post('/apis/authentication.k8s.io/v1/tokenreviews', review)).code, 201);
    assert.equal((await server.ask(`/${'a/'.repeat(20_000)}`)).code, 404);
  });
});
