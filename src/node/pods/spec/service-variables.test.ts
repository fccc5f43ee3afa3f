import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Service, ServicePort } from '../../../api/generated/types.ts';
import { serviceVariables } from './service-variables.ts';

const service = (namespace: string, name: string, clusterIP: string, ports: ServicePort[]): Service => ({
  metadata: { namespace, name },
  spec: { clusterIP, ports },
});
const master = service('default', 'kubernetes', '10.96.0.1', [{ name: 'https', port: 443 }]);

it('each service has a host, its ports, and what Docker’s links said', () => {
  const redis = service('shop', 'redis-master', '10.96.0.9', [
    { name: 'tcp-redis', port: 6379 },
    { name: 'dns', port: 53, protocol: 'UDP' },
  ]);
  assert.deepEqual(Object.fromEntries(serviceVariables([redis], 'shop', true)), {
    REDIS_MASTER_SERVICE_HOST: '10.96.0.9',
    REDIS_MASTER_SERVICE_PORT: '6379',
    REDIS_MASTER_SERVICE_PORT_TCP_REDIS: '6379',
    REDIS_MASTER_SERVICE_PORT_DNS: '53',
    REDIS_MASTER_PORT: 'tcp://10.96.0.9:6379',
    REDIS_MASTER_PORT_6379_TCP: 'tcp://10.96.0.9:6379',
    REDIS_MASTER_PORT_6379_TCP_PROTO: 'tcp',
    REDIS_MASTER_PORT_6379_TCP_PORT: '6379',
    REDIS_MASTER_PORT_6379_TCP_ADDR: '10.96.0.9',
    REDIS_MASTER_PORT_53_UDP: 'udp://10.96.0.9:53',
    REDIS_MASTER_PORT_53_UDP_PROTO: 'udp',
    REDIS_MASTER_PORT_53_UDP_PORT: '53',
    REDIS_MASTER_PORT_53_UDP_ADDR: '10.96.0.9',
  });
});

it('an IPv6 address is bracketed in front of a port', () => {
  const variables = serviceVariables([service('a', 'db', 'fd00::1', [{ port: 1 }])], 'a', true);
  assert.equal(variables.get('DB_PORT'), 'tcp://[fd00::1]:1');
  assert.equal(variables.get('DB_SERVICE_HOST'), 'fd00::1');
});

it('headless services and those of other namespaces are left out', () => {
  const services = [
    service('a', 'headless', 'None', [{ port: 1 }]),
    service('default', 'other', '10.96.0.3', []),
  ];
  assert.equal(serviceVariables(services, 'a', true).size, 0);
});

it('the API server’s is always told; one of its name in the pod’s own namespace hides it', () => {
  assert.equal(serviceVariables([master], 'a', false).get('KUBERNETES_SERVICE_HOST'), '10.96.0.1');
  const own = service('a', 'kubernetes', '10.96.0.2', [{ port: 1 }]);
  const host = (links: boolean) => serviceVariables([master, own], 'a', links).get('KUBERNETES_SERVICE_HOST');
  assert.deepEqual([host(true), host(false)], ['10.96.0.2', '10.96.0.1']);
});
