// Where the name in a proxied request leads, and where it never does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notFound } from '../../api/errors.ts';
import { refusal } from '../test-objects.ts';
import { destinationOf, type ReadObject, splitName } from './destination.ts';

const metadata = (name: string) => ({
  name,
  namespace: 'default',
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '',
});
const podAt = (name: string, ip: string, ports: object[] = []): object => ({
  metadata: metadata(name),
  spec: { containers: [{ name: 'side' }, { name: 'main', ports }] },
  status: { podIPs: [{ ip }] },
});
const HTTP = [{ containerPort: 8080, name: 'http' }, { containerPort: 8443 }];
const address = (name: string, ip: string): object => ({
  ip,
  targetRef: { kind: 'Pod', name, namespace: 'default' },
});

const objects: Record<string, object> = {
  'pods/web-0': podAt('web-0', '10.0.0.2', HTTP),
  'pods/web-1': podAt('web-1', '10.0.0.3', HTTP),
  'pods/six': podAt('six', 'fd00::2'),
  'pods/bare': podAt('bare', '10.0.0.4'),
  'pods/pending': podAt('pending', ''),
  'pods/local': podAt('local', '127.0.0.1'),
  'pods/metadata': podAt('metadata', '169.254.169.254'),
  'services/web': {
    metadata: metadata('web'),
    spec: {
      ports: [
        { name: 'http', port: 80, targetPort: 8080 },
        { name: 'tls', port: 443 },
      ],
    },
  },
  'endpoints/web': {
    metadata: metadata('web'),
    subsets: [
      {
        addresses: [
          { ip: '10.9.9.9' },
          address('web-0', '10.9.9.9'),
          address('gone', '10.0.0.9'),
          address('web-0', '10.0.0.2'),
          address('web-1', '10.0.0.3'),
        ],
        ports: [{ name: 'http', port: 8080 }],
      },
    ],
  },
  'services/plain': { metadata: metadata('plain'), spec: { ports: [{ port: 80 }] } },
  'endpoints/plain': {
    metadata: metadata('plain'),
    subsets: [
      { addresses: [address('local', '127.0.0.1'), address('web-1', '10.0.0.3')], ports: [{ port: 80 }] },
    ],
  },
  'services/alone': { metadata: metadata('alone'), spec: { ports: [{ port: 80 }] } },
};
const read: ReadObject = async (plural, name) => {
  const found = objects[`${plural}/${name}`];
  if (!found) throw notFound({ group: '', plural, kind: plural }, name);
  return found as Awaited<ReturnType<ReadObject>>;
};
const where = async (plural: string, id: string, turn = 0): Promise<string> => {
  const { secure, host, port } = await destinationOf(plural, id, read, turn);
  return `${secure ? 'https' : 'http'} ${host} ${port}`;
};

test('a name may bring a scheme and a port', () => {
  assert.deepEqual(splitName('web-0'), { secure: false, name: 'web-0', port: '' });
  assert.deepEqual(splitName('web-0:80'), { secure: false, name: 'web-0', port: '80' });
  assert.deepEqual(splitName('https:web-0:'), { secure: true, name: 'web-0', port: '' });
  for (const bad of ['', ':80', 'ftp:web-0:80', 'a:b:c:d']) assert.equal(splitName(bad), undefined, bad);
});

test('a pod is reached at its first port, or the one that is named', async () => {
  assert.equal(await where('pods', 'web-0'), 'http 10.0.0.2 8080');
  assert.equal(await where('pods', 'https:web-0:8443'), 'https 10.0.0.2 8443');
  assert.equal(await where('pods', 'http:web-0:http'), 'http 10.0.0.2 8080');
  assert.equal(await where('pods', 'bare'), 'http 10.0.0.4 80');
  assert.equal(await where('pods', 'six:81'), 'http fd00::2 81');
});

test('a pod without an address, or with one that is the machine’s own, is not visited', async () => {
  for (const name of ['pending', 'local', 'metadata']) {
    const { code, message } = await refusal(where('pods', name));
    assert.deepEqual([code, message], [400, 'address not allowed'], name);
  }
  assert.equal((await refusal(where('pods', 'nobody'))).code, 404);
  assert.equal((await refusal(where('pods', 'web-0:nope'))).code, 400);
  assert.equal((await refusal(where('pods', 'web-0:70000'))).code, 400);
  assert.equal((await refusal(where('pods', 'ftp:web-0:1'))).message, 'invalid pod request "ftp:web-0:1"');
});

test('a service leads to its pods in turn, and to nothing else that its endpoints name', async () => {
  const turns = await Promise.all([0, 1, 2, 3, 4].map((turn) => where('services', 'web:http', turn)));
  assert.deepEqual([...new Set(turns)].sort(), ['http 10.0.0.2 8080', 'http 10.0.0.3 8080']);
  assert.equal(await where('services', 'https:web:80'), 'https 10.0.0.2 8080');
  assert.equal(await where('services', 'plain'), 'http 10.0.0.3 80');
});

test('a service without endpoints is unavailable, in upstream’s words', async () => {
  for (const id of ['alone', 'web:tls', 'web:nope']) {
    const name = id.split(':')[0];
    const { code, message, reason } = await refusal(where('services', id));
    assert.deepEqual([code, reason], [503, 'ServiceUnavailable'], id);
    assert.equal(message, `no endpoints available for service "${name}"`);
  }
  const { message } = await refusal(where('services', 'web:81'));
  assert.equal(message, 'no service port 81 found for service "web"');
  assert.equal((await refusal(where('services', 'nobody'))).code, 404);
});
