import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pod, refusal } from '../../test-objects.ts';
import { startTestServer, type TestServer } from '../../test-server.ts';

async function serverWith(labels: Record<string, string>): Promise<TestServer> {
  const server = await startTestServer();
  await label(server, labels);
  return server;
}

async function label(server: TestServer, labels: Record<string, string | null>): Promise<readonly string[]> {
  const prefixed = Object.entries(labels).map(([name, value]) => [
    `pod-security.kubernetes.io/${name}`,
    value,
  ]);
  const body = { metadata: { labels: Object.fromEntries(prefixed) } };
  const result = await server.handle('patch', 'namespaces', { name: 'default', patchType: 'merge', body });
  return result.type === 'object' ? result.warnings : [];
}

const hardened = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'main',
      image: 'nginx',
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    },
  ],
};

test('restricted wants pods to be hardened, and says how', async () => {
  const server = await serverWith({ enforce: 'restricted' });
  const refused = await refusal(server.handle('create', 'pods', { body: pod('a') }));
  assert.equal(refused.code, 403);
  assert.equal(
    refused.message,
    'pods "a" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "main" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "main" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  );
  await server.object('create', 'pods', { body: pod('a', hardened) });
});

test('baseline refuses the known ways out of a container', async () => {
  const server = await serverWith({ enforce: 'baseline', 'enforce-version': 'v1.30' });
  await server.object('create', 'pods', { body: pod('plain') });
  const ways = pod('a', {
    hostNetwork: true,
    hostPID: true,
    volumes: [{ name: 'v', hostPath: { path: '/' } }],
    securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] },
    containers: [
      {
        name: 'main',
        image: 'nginx',
        ports: [{ containerPort: 80, hostPort: 80 }],
        securityContext: {
          privileged: true,
          capabilities: { add: ['NET_ADMIN'] },
          seccompProfile: { type: 'Unconfined' },
        },
      },
    ],
  });
  assert.equal(
    (await refusal(server.handle('create', 'pods', { body: ways }))).message,
    'pods "a" is forbidden: violates PodSecurity "baseline:v1.30": non-default capabilities (container "main" must not include "NET_ADMIN" in securityContext.capabilities.add), host namespaces (hostNetwork=true, hostPID=true), hostPath volumes (volume "v"), hostPort (container "main" uses hostPort 80), privileged (container "main" must not set securityContext.privileged=true), seccompProfile (container "main" must not set securityContext.seccompProfile.type to "Unconfined"), forbidden sysctls (kernel.msgmax)',
  );
});

test('sets are warned of what their pods would be refused for', async () => {
  const server = await serverWith({ enforce: 'baseline', warn: 'restricted' });
  const set = {
    metadata: { name: 'web' },
    spec: {
      serviceName: 'web',
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'c', image: 'nginx' }] },
      },
    },
  };
  const made = await server.handle('create', 'statefulsets', { body: set });
  assert.ok(made.type === 'object');
  assert.match(
    made.warnings.join(),
    /^would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false/,
  );
  const plain = await server.handle('create', 'pods', { body: pod('a') });
  assert.ok(plain.type === 'object' && plain.warnings.length === 1);
});

test('stricter labels warn of the pods that are there; labels that mean nothing are refused', async () => {
  const server = await startTestServer();
  for (const name of ['a', 'b', 'c']) await server.object('create', 'pods', { body: pod(name) });
  const warnings = await label(server, { enforce: 'restricted' });
  assert.deepEqual(warnings, [
    'existing pods in namespace "default" violate the new PodSecurity enforce level "restricted:latest"',
    'a (and 2 other pods): allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile',
  ]);
  const refused = await refusal(label(server, { enforce: 'strict' }));
  assert.equal(refused.code, 422);
  assert.match(`${refused.message}`, /"strict": must be one of privileged, baseline, restricted/);
  // A pod that is there can still be labelled.
  await server.object('patch', 'pods', {
    name: 'a',
    patchType: 'merge',
    body: { metadata: { labels: { x: 'y' } } },
  });
});
