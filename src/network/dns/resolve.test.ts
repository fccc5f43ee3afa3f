// Each test names the sentence of Kubernetes' DNS specification, or of stead's own promises, that it holds true.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EndpointSlice, Service } from '../../api/generated/types.ts';
import type { KubeObject, Stored } from '../../api/objects.ts';
import { backendsOfSlices } from './backends.ts';
import { resolve, type Zone } from './resolve.ts';

function stored<T extends KubeObject>(object: T): Stored<T> {
  const meta = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z', name: '' };
  return { ...object, metadata: { ...meta, ...object.metadata } };
}

const service = (name: string, spec: Service['spec']): Stored<Service> =>
  stored<Service>({ metadata: { name, namespace: 'default' }, spec });

const nginx = service('nginx', { clusterIP: 'None', ports: [{ port: 80, name: 'web' }] });
const plain = service('plain', {
  clusterIP: '10.96.0.7',
  clusterIPs: ['10.96.0.7'],
  ports: [{ port: 53, name: 'dns', protocol: 'UDP' }],
});
const empty = service('empty', { clusterIP: 'None' });
const far = service('far', { type: 'ExternalName', externalName: 'db.example.org' });
const slice = stored<EndpointSlice>({
  metadata: { name: 'nginx-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'nginx' } },
  addressType: 'IPv4',
  ports: [{ port: 8080, name: 'web', protocol: 'TCP' }],
  endpoints: [
    { addresses: ['10.244.0.2'], hostname: 'web-0', conditions: { ready: true } },
    { addresses: ['10.244.0.3'], hostname: 'web-1', conditions: { ready: true } },
    { addresses: ['10.244.0.4'], hostname: 'web-2', conditions: { ready: false } },
    { addresses: ['10.244.0.5'] },
  ],
});
const alias = (name: string, externalName: string): Stored<Service> =>
  service(name, { type: 'ExternalName', externalName });
const inside = 'svc.cluster.local';
const aliases = [
  alias('near', `web-1.nginx.default.${inside}`),
  alias('nearer', `near.default.${inside}.`),
  alias('lost', `no.default.${inside}`),
  alias('farther', `far.default.${inside}`),
  alias('round', `about.default.${inside}`),
  alias('about', `round.default.${inside}`),
  alias('itself', `itself.default.${inside}`),
  alias('address', '10.1.2.3'),
];
const services = [nginx, plain, empty, far, ...aliases];
const backends = backendsOfSlices([slice]);
const zone: Zone = {
  domain: 'cluster.local',
  serverAddress: '10.244.0.1',
  version: () => 0,
  hasNamespace: (name) => name === 'default',
  service: (namespace, name) => services.find((one) => namespace === 'default' && one.metadata.name === name),
  backendsOf: (service) => (service === nginx ? backends : []),
  backendsNamed: (service, hostname) =>
    service === nginx ? backends.filter((backend) => backend.hostname === hostname) : [],
  serviceByIp: (ip) => services.find((one) => one.spec.clusterIPs?.includes(ip)),
  placesOf: (ip) =>
    backends.filter(({ address }) => address === ip).map(({ hostname }) => ({ service: nginx, hostname })),
};
const data = (name: string, type = 'A') => resolve(name, type, zone)?.answers.map((record) => record.data);

describe('names of the cluster', () => {
  it('a headless Service answers the addresses of its ready endpoints', () => {
    assert.deepEqual(data('nginx.default.svc.cluster.local'), ['10.244.0.2', '10.244.0.3', '10.244.0.5']);
  });
  it('a pod with hostname and subdomain has a name of its own, in any case of letters', () => {
    assert.deepEqual(data('WEB-1.Nginx.default.svc.cluster.LOCAL'), ['10.244.0.3']);
  });
  it('an endpoint without hostname is named after its address', () => {
    assert.deepEqual(data('10-244-0-5.nginx.default.svc.cluster.local'), ['10.244.0.5']);
  });
  it('SRV records name each pod and its port, with the addresses beside them', () => {
    const answer = resolve('_web._tcp.nginx.default.svc.cluster.local', 'SRV', zone);
    assert.deepEqual(
      answer?.answers.map(({ data: record }) =>
        typeof record === 'object' && 'target' in record ? `${record.target}:${record.port}` : '',
      ),
      ['web-0', 'web-1', '10-244-0-5'].map((host) => `${host}.nginx.default.svc.cluster.local:8080`),
    );
    assert.deepEqual(
      answer?.additionals.map((record) => record.data),
      ['10.244.0.2', '10.244.0.3', '10.244.0.5'],
    );
  });
  it('a Service with an address answers that, and SRV its own name', () => {
    assert.deepEqual(data('plain.default.svc.cluster.local'), ['10.96.0.7']);
    assert.deepEqual(data('_dns._udp.plain.default.svc.cluster.local', 'SRV'), [
      { target: 'plain.default.svc.cluster.local', port: 53, priority: 0, weight: 100 },
    ]);
  });
  it('an ExternalName is an alias, with the addresses behind it', () => {
    assert.deepEqual(data('near.default.svc.cluster.local'), [`web-1.nginx.default.${inside}`, '10.244.0.3']);
    assert.deepEqual(data('near.default.svc.cluster.local', 'CNAME'), [`web-1.nginx.default.${inside}`]);
    assert.deepEqual(data('nearer.default.svc.cluster.local'), [
      `near.default.${inside}`,
      `web-1.nginx.default.${inside}`,
      '10.244.0.3',
    ]);
    assert.deepEqual(data('near.default.svc.cluster.local', 'AAAA'), [`web-1.nginx.default.${inside}`]);
  });
  it('an ExternalName of the world outside says whom to ask for', () => {
    assert.deepEqual(data('far.default.svc.cluster.local'), ['db.example.org']);
    assert.equal(resolve('far.default.svc.cluster.local', 'AAAA', zone)?.beyond, 'db.example.org');
    assert.equal(resolve('far.default.svc.cluster.local', 'CNAME', zone)?.beyond, undefined);
    const farther = resolve('farther.default.svc.cluster.local', 'A', zone);
    assert.deepEqual([farther?.answers.length, farther?.beyond], [2, 'db.example.org']);
  });
  it('an ExternalName of a name that is not there exists as little', () => {
    assert.deepEqual(
      [resolve('lost.default.svc.cluster.local', 'A', zone)?.exists, data('lost.default.svc.cluster.local')],
      [false, [`no.default.${inside}`]],
    );
    assert.equal(resolve('address.default.svc.cluster.local', 'A', zone)?.exists, false);
  });
  it('ExternalNames that go round in a circle end', () => {
    assert.deepEqual(data('round.default.svc.cluster.local'), [
      `about.default.${inside}`,
      `round.default.${inside}`,
    ]);
    assert.deepEqual(data('itself.default.svc.cluster.local'), [`itself.default.${inside}`]);
  });
  it('addresses lead back to names', () => {
    assert.deepEqual(data('3.0.244.10.in-addr.arpa', 'PTR'), ['web-1.nginx.default.svc.cluster.local']);
    assert.deepEqual(data('7.0.96.10.in-addr.arpa', 'PTR'), ['plain.default.svc.cluster.local']);
  });
  it('the domain itself says who answers for it', () => {
    const [soa] = data('cluster.local', 'SOA') ?? [];
    assert.ok(typeof soa === 'object' && 'mname' in soa);
    assert.deepEqual([soa.mname, soa.rname], ['ns.dns.cluster.local', 'hostmaster.cluster.local']);
    const servers = resolve('cluster.local', 'NS', zone);
    assert.deepEqual(
      [...(servers?.answers ?? []), ...(servers?.additionals ?? [])],
      [
        { name: 'cluster.local', type: 'NS', data: 'ns.dns.cluster.local' },
        { name: 'ns.dns.cluster.local', type: 'A', data: '10.244.0.1' },
      ],
    );
    assert.deepEqual(data('cluster.local'), []);
  });
  it('says which version of the schema it follows', () => {
    assert.deepEqual(data('dns-version.cluster.local', 'TXT'), ['1.1.0']);
  });
  it('tells a name without such records from one that does not exist', () => {
    assert.deepEqual(
      [
        resolve('nginx.default.svc.cluster.local', 'AAAA', zone)?.exists,
        data('nginx.default.svc.cluster.local', 'AAAA'),
      ],
      [true, []],
    );
    for (const name of [
      'no.default.svc.cluster.local',
      'nginx.other.svc.cluster.local',
      'x.cluster.local',
      'web-2.nginx.default.svc.cluster.local',
      'empty.default.svc.cluster.local',
    ]) {
      assert.equal(resolve(name, 'A', zone)?.exists, false, name);
    }
  });
  it('lets nobody remember that a pod or a Service is not there', () => {
    assert.equal(resolve('web-2.nginx.default.svc.cluster.local', 'A', zone)?.negativeTtlSeconds, 0);
    assert.equal(resolve('empty.default.svc.cluster.local', 'A', zone)?.negativeTtlSeconds, 0);
    assert.equal(resolve('no.default.svc.cluster.local', 'A', zone)?.negativeTtlSeconds, 0);
    assert.equal(resolve('no.such.cluster.local', 'A', zone)?.negativeTtlSeconds, 5);
  });
  it('leaves the rest of the world to others', () => {
    assert.equal(resolve('example.org', 'A', zone), undefined);
    assert.equal(resolve('1.1.1.1.in-addr.arpa', 'PTR', zone), undefined);
    assert.equal(resolve('notcluster.local', 'A', zone), undefined);
  });
});
