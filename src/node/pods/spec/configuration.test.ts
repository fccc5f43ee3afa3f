// From a pod to what its containers get: environment, names, resources, security, credentials, host ports.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Container, Pod } from '../../../api/generated/types.ts';
import { qosClassOf } from '../../../api/pod-qos.ts';
import { present } from '../../../base/present.ts';
import { rejectionOf } from '../decide/admission.ts';
import { crashBackoff, goDuration } from '../decide/backoff.ts';
import { containerSpecOf } from './container-spec.ts';
import { environmentOf } from './environment.ts';
import { expand } from './expansion.ts';
import { hostNetworkHostsFile, hostsFile, parseResolvConf, resolvConfOf } from './names.ts';
import { credentialsFor, registryOf } from './pull-secrets.ts';
import { oomScoreAdjOf } from './qos.ts';

const placement = {
  podIps: ['10.0.0.2'],
  nodeIps: ['10.0.0.1'],
  nodeName: 'node-1',
  allocatable: { cpuCores: 2, memoryBytes: 1024 ** 3 },
};

function podWith(container: Partial<Container>, spec: Partial<Pod['spec']> = {}): Pod {
  return {
    metadata: { name: 'web-0', namespace: 'default', uid: 'uid', labels: { app: 'nginx' } },
    spec: { containers: [{ name: 'web', image: 'nginx', ...container }], ...spec },
  };
}

async function environment(
  container: Partial<Container>,
  spec: Partial<Pod['spec']> = { enableServiceLinks: false },
): Promise<Record<string, string>> {
  const pod = podWith(container, spec);
  const [first] = pod.spec.containers;
  assert.ok(first);
  const sources = {
    services: async () => [
      {
        metadata: { name: 'db', namespace: 'default' },
        spec: { clusterIP: '10.96.0.7', ports: [{ port: 5432 }] },
      },
    ],
    configMap: async (name: string) =>
      name === 'settings' ? { metadata: {}, data: { a: '1', b: '2' } } : undefined,
    secret: async (name: string) =>
      name === 'keys' ? { metadata: {}, data: { k: Buffer.from('secret').toString('base64') } } : undefined,
  };
  return Object.fromEntries(await environmentOf(pod, first, placement, sources));
}

describe('environment', () => {
  it('takes values from everywhere and expands in order', async () => {
    assert.deepEqual(
      await environment({
        resources: { limits: { cpu: '500m' } },
        envFrom: [
          { prefix: 'S_', configMapRef: { name: 'settings' } },
          { secretRef: { name: 'none', optional: true } },
        ],
        env: [
          { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'LABEL', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
          { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
          { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
          { name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'k' } } },
          { name: 'GONE', valueFrom: { configMapKeyRef: { name: 'none', key: 'k', optional: true } } },
          { name: 'URL', value: 'http://$(NAME).nginx:$(S_a) $(UNKNOWN) $$(NAME)' },
        ],
      }),
      {
        S_a: '1',
        S_b: '2',
        NAME: 'web-0',
        LABEL: 'nginx',
        IP: '10.0.0.2',
        CPU: '500',
        MEMORY: '1024',
        KEY: 'secret',
        URL: 'http://web-0.nginx:1 $(UNKNOWN) $(NAME)',
      },
    );
  });

  it('says where the services of the namespace are, after what the container says itself', async () => {
    const variables = await environment(
      {
        env: [
          { name: 'DB_PORT', value: '1' },
          { name: 'URL', value: '$(DB_SERVICE_HOST)' },
        ],
      },
      {},
    );
    assert.equal(variables.DB_SERVICE_HOST, '10.96.0.7');
    assert.equal(variables.URL, '10.96.0.7');
    assert.equal(variables.DB_PORT, '1');
  });

  it('says in upstream’s words what is missing', async () => {
    const from = (valueFrom: object) => environment({ env: [{ name: 'A', valueFrom }] });
    await assert.rejects(from({ configMapKeyRef: { name: 'none', key: 'k' } }), {
      message: 'configmap "none" not found',
    });
    await assert.rejects(from({ secretKeyRef: { name: 'keys', key: 'x' } }), {
      message: "couldn't find key x in Secret default/keys",
    });
  });

  it('leaves odd references as they are', () => {
    const lookup = (name: string) => (name === 'A' ? 'x' : undefined);
    assert.equal(expand('$(A)$(B)$$(A)$A$($(A', lookup), 'x$(B)$(A)$A$($(A');
    assert.equal(expand('cost: 5$', lookup), 'cost: 5$');
  });
});

describe('names', () => {
  const pod = podWith(
    {},
    { hostname: 'web-0', subdomain: 'nginx', hostAliases: [{ ip: '1.1.1.1', hostnames: ['a', 'b'] }] },
  );

  it('are in the pod’s own hosts file', () => {
    const own = hostNetworkHostsFile(pod, '127.0.0.1\tlocalhost here\n');
    assert.match(
      own,
      /^# Kubernetes-managed hosts file \(host network\)\.\n127\.0\.0\.1\tlocalhost here\n\n# Entries/,
    );
    const hosts = hostsFile(pod, ['10.0.0.2'], 'cluster.local');
    assert.ok(hosts.includes('10.0.0.2\tweb-0.nginx.default.svc.cluster.local\tweb-0\n'));
    assert.ok(hosts.endsWith('# Entries added by HostAliases.\n1.1.1.1\ta\tb\n'));
  });

  it('are looked up as dnsPolicy and dnsConfig say', () => {
    const host = parseResolvConf('# comment\nnameserver 9.9.9.9\nsearch example.com\noptions timeout:1\n');
    const cluster = { ip: '10.0.0.1', domain: 'cluster.local' };
    assert.deepEqual(resolvConfOf(pod, cluster, host), {
      servers: ['10.0.0.1'],
      searches: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'example.com'],
      options: ['ndots:5'],
    });
    const own = podWith(
      {},
      {
        dnsPolicy: 'None',
        dnsConfig: { nameservers: ['8.8.8.8'], options: [{ name: 'ndots', value: '1' }] },
      },
    );
    assert.deepEqual(resolvConfOf(own, cluster, host), {
      servers: ['8.8.8.8'],
      searches: [],
      options: ['ndots:1'],
    });
    assert.deepEqual(resolvConfOf(podWith({}, { dnsPolicy: 'Default' }), cluster, host), host);
    assert.deepEqual(resolvConfOf(podWith({}, { hostNetwork: true }), cluster, host), host);
  });
});

describe('containers', () => {
  const build = (container: Partial<Container>, spec: Partial<Pod['spec']> = {}) => {
    const pod = podWith(container, spec);
    const [first] = pod.spec.containers;
    assert.ok(first);
    return containerSpecOf(pod, first, {
      attempt: 0,
      image: { id: 'sha256:1', tags: [], digests: [], sizeBytes: 0 },
      environment: new Map([['A', 'x']]),
      mounts: [],
      machineMemoryBytes: 1024 ** 3,
      seccompDirectory: '/seccomp',
    });
  };

  it('get their resources and arguments', () => {
    const spec = build({
      command: ['run', '$(A)'],
      resources: { requests: { cpu: '250m' }, limits: { cpu: '500m', memory: '64Mi' } },
    });
    assert.deepEqual(spec.command, ['run', 'x']);
    assert.equal(spec.resources.cpuShares, 256);
    assert.equal(spec.resources.cpuQuotaUs, 50_000);
    assert.equal(spec.resources.memoryLimitBytes, 64 * 1024 ** 2);
  });

  it('are refused what would break runAsNonRoot', () => {
    assert.throws(() => build({ securityContext: { runAsNonRoot: true } }), /image will run as root/);
    assert.throws(
      () => build({ securityContext: { runAsNonRoot: true, runAsUser: 0 } }),
      /breaks non-root policy/,
    );
    assert.equal(build({ securityContext: { runAsNonRoot: true, runAsUser: 5 } }).security.runAsUser, 5);
  });

  it('have a class of service and a score', () => {
    const limits = { cpu: '1', memory: '512Mi' };
    assert.equal(qosClassOf(podWith({})), 'BestEffort');
    assert.equal(qosClassOf(podWith({ resources: { limits, requests: limits } })), 'Guaranteed');
    const burstable = podWith({ resources: { requests: { memory: '512Mi' } } });
    assert.equal(qosClassOf(burstable), 'Burstable');
    const [container] = burstable.spec.containers;
    assert.ok(container);
    assert.equal(oomScoreAdjOf(burstable, container, 1024 ** 3), 500);
  });
});

describe('the rest', () => {
  it('finds credentials by registry', () => {
    assert.equal(registryOf('nginx'), 'docker.io');
    assert.equal(registryOf('library/nginx:1'), 'docker.io');
    assert.equal(registryOf('localhost:5000/a/b@sha256:1'), 'localhost:5000');
    const auth = Buffer.from('me:pa:ss').toString('base64');
    const config = {
      auths: { 'https://index.docker.io/v1/': { auth }, 'quay.io': { username: 'q', password: 'p' } },
    };
    const secret = {
      metadata: {},
      data: { '.dockerconfigjson': Buffer.from(JSON.stringify(config)).toString('base64') },
    };
    assert.deepEqual(credentialsFor('nginx', [secret]), { username: 'me', password: 'pa:ss' });
    assert.deepEqual(credentialsFor('quay.io/x', [secret]), { username: 'q', password: 'p' });
    assert.equal(credentialsFor('gcr.io/x', [secret]), undefined);
    const broken = { metadata: {}, data: { '.dockerconfigjson': 'bm90IGpzb24=' } };
    assert.equal(credentialsFor('nginx', [broken]), undefined);
  });

  it('sees clashes of host ports by address and protocol', () => {
    const at = (hostPort: number, hostIP?: string, protocol = 'TCP'): Pod =>
      podWith({ ports: [present({ containerPort: 80, hostPort, hostIP, protocol })] });
    assert.equal(
      rejectionOf(at(80), {}, () => [at(81)]),
      undefined,
    );
    assert.equal(
      rejectionOf(at(80), {}, () => [at(80, undefined, 'UDP')]),
      undefined,
    );
    assert.equal(
      rejectionOf(at(80, '1.1.1.1'), {}, () => [at(80, '1.1.1.2')]),
      undefined,
    );
    assert.equal(rejectionOf(at(80, '1.1.1.1'), {}, () => [at(80)])?.reason, 'NodePorts');
  });

  it('doubles the back-off up to five minutes and forgets it after ten', () => {
    let entry = undefined as { delayMs: number; updatedAtMs: number } | undefined;
    const delays: number[] = [];
    let now = 0;
    for (let crash = 0; crash < 8; crash++) {
      const waits = crashBackoff(entry, now, now);
      if ('waitUntilMs' in waits) now = waits.waitUntilMs;
      const verdict = crashBackoff(entry, now - (entry?.delayMs ?? 0), now);
      assert.ok('next' in verdict);
      entry = verdict.next;
      delays.push(entry.delayMs / 1000);
    }
    assert.deepEqual(delays, [10, 20, 40, 80, 160, 300, 300, 300]);
    assert.deepEqual(crashBackoff(entry, now + 600_001, now + 600_001), {
      next: { delayMs: 10_000, updatedAtMs: now + 600_001 },
    });
    assert.equal(goDuration(80_000), '1m20s');
    assert.equal(goDuration(300_000), '5m0s');
    assert.equal(goDuration(1500), '1.5s');
  });
});
