// Fields of pods that the node reads when it takes a pod and makes its sandbox and containers: what comes of each, and
// what it says of those that it cannot give. The node agent on a simulated runtime, on virtual time.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { PodSpec } from '../api/generated/types.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { services } from '../api/resources/services/definition.ts';
import { startTestNode, type TestNode } from '../testing/test-node.ts';
import { simulatedChecks } from './simulated/surroundings.ts';

let node: TestNode;
beforeEach(async () => {
  node = await startTestNode();
});
afterEach(() => node.stop());

const web = { name: 'web', image: 'nginx:1' };
const waiting = async () => (await node.get('web-0')).status?.containerStatuses?.[0]?.state?.waiting;
const waitsFor = (reason: string) =>
  node.cluster.until(async () => (await waiting())?.reason === reason, reason);
const says = (event: string) =>
  node.cluster.until(async () => (await node.cluster.eventsOf('web-0')).includes(event), event);

describe('a pod that the node does not take', () => {
  async function refused(spec: Partial<PodSpec>): Promise<string> {
    node.startAgent();
    await node.createPod('web-0', spec);
    await node.cluster.until(async () => (await node.get('web-0')).status?.phase === 'Failed', 'Failed');
    const { status } = await node.get('web-0');
    assert.equal(status?.containerStatuses, undefined);
    assert.deepEqual(node.sandboxes, []);
    return `${status?.reason}: ${status?.message}`;
  }

  it('sets a kernel parameter that is not safe', async () => {
    const sysctls = [{ name: 'net.core.somaxconn', value: '9' }];
    assert.equal(
      await refused({ securityContext: { sysctls } }),
      'SysctlForbidden: Pod was rejected: forbidden sysctl: "net.core.somaxconn" not allowlisted',
    );
    await says('SysctlForbidden: forbidden sysctl: "net.core.somaxconn" not allowlisted');
  });

  it('wants its groups to be no more than it says', async () => {
    assert.equal(
      await refused({ securityContext: { supplementalGroupsPolicy: 'Strict' } }),
      'SupplementalGroupsPolicyNotSupported: Pod was rejected: SupplementalGroupsPolicy=Strict is not supported in this node',
    );
  });

  it('wants a profile of AppArmor that is not there', async () => {
    const appArmorProfile = { type: 'Localhost', localhostProfile: 'mine' };
    assert.match(
      await refused({ securityContext: { appArmorProfile } }),
      /^AppArmor: .*Cannot enforce AppArmor: /,
    );
  });
});

it('kernel parameters that are allowed reach the sandbox, and so does the name in full', async () => {
  node.startAgent({ allowedUnsafeSysctls: ['net.core.*'] });
  const sysctls = [
    { name: 'net/core/somaxconn', value: '9' },
    { name: 'net.ipv4.tcp_syncookies', value: '0' },
  ];
  await node.createPod('web-0', { securityContext: { sysctls }, subdomain: 'shop', setHostnameAsFQDN: true });
  await node.ready('web-0');
  const [sandbox] = node.sandboxes;
  assert.deepEqual(sandbox?.sysctls, { 'net.core.somaxconn': '9', 'net.ipv4.tcp_syncookies': '0' });
  assert.equal(sandbox?.hostname, 'web-0.shop.default.svc.cluster.local');
});

it('what the sandbox cannot be is said, and the pod is not run without it', async () => {
  node.startAgent();
  await node.createPod('web-0', { hostUsers: false });
  await says(
    'FailedCreatePodSandBox: Failed to create pod sandbox: hostUsers: false is not supported: the runtime of this node has no user namespaces',
  );
  assert.deepEqual(node.sandboxes, []);
});

it('a name that cannot be an image’s is said to be none', async () => {
  node.startAgent();
  await node.createPod('web-0', { containers: [{ ...web, image: 'Nginx:1' }] });
  await waitsFor('InvalidImageName');
  assert.match(
    (await waiting())?.message ?? '',
    /^Failed to apply default image tag "Nginx:1": couldn't parse image name/,
  );
  await node.cluster.clock.advance(60_000);
  assert.equal((await waiting())?.reason, 'InvalidImageName');
  await says('Failed: Error: InvalidImageName');
  assert.ok(
    (await node.cluster.eventsOf('web-0')).some((event) =>
      event.startsWith('InspectFailed: Failed to apply'),
    ),
  );
});

it('pull secrets that are not there are named, and the pull is tried', async () => {
  node.startAgent();
  await node.createPod('web-0', {
    containers: [{ ...web, imagePullPolicy: 'Always' }],
    imagePullSecrets: [{ name: 'one' }, { name: 'two' }],
  });
  await node.ready('web-0');
  await says(
    'FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets (one, two); attempting to pull the image may not succeed.',
  );
});

it('a container whose configuration names what is not there waits', async () => {
  node.startAgent();
  const volumeMounts = [{ name: 'v', mountPath: '/v', subPathExpr: '$(POD)/$(ROLE)' }];
  await node.createPod('web-0', {
    containers: [{ ...web, volumeMounts, env: [{ name: 'ROLE', value: '' }] }],
    volumes: [{ name: 'v', emptyDir: {} }],
  });
  await waitsFor('CreateContainerConfigError');
  assert.match((await waiting())?.message ?? '', /missing value for POD, ROLE$/);
  assert.deepEqual(node.created, []);
});

it('a container is told of services, of the API server’s in any case', async () => {
  node.startAgent();
  await node.cluster.client.create(services, {
    metadata: { namespace: 'default', name: 'db' },
    spec: { ports: [{ port: 5432 }], selector: { a: 'b' } },
  });
  await node.createPod('told');
  await node.createPod('alone', { enableServiceLinks: false });
  await node.ready('told');
  await node.ready('alone');
  const [told, alone] = node.created.map(
    ({ env }) => env.find(({ name }) => name === 'DB_SERVICE_PORT')?.value,
  );
  assert.deepEqual([told, alone], ['5432', undefined]);
});

it('commands of probes know the variables that the spec has, and leave the others', async () => {
  const commands: string[][] = [];
  const { execSync } = node.runtime;
  node.runtime.execSync = (id, command, timeoutMs) => {
    commands.push(command);
    return execSync.call(node.runtime, id, command, timeoutMs);
  };
  node.startAgent();
  const readinessProbe = { exec: { command: ['check', '$(PORT)', '$(WHERE)'] } };
  await node.createPod('web-0', {
    containers: [{ ...web, readinessProbe, env: [{ name: 'PORT', value: '80' }] }],
  });
  await node.ready('web-0');
  assert.deepEqual(commands[0], ['check', '80', '$(WHERE)']);
});

it('a hook over HTTPS whose server speaks no TLS is asked again without, and without what proves who asks', async () => {
  const asked: string[] = [];
  node.startAgent({
    checks: {
      ...simulatedChecks,
      async http({ headers, scheme }) {
        asked.push(`${scheme} ${headers.map(({ name }) => name).join()}`);
        if (scheme === 'HTTP') return { ok: true, message: '' };
        return { ok: false, message: 'Get "…": http: server gave HTTP response to HTTPS client' };
      },
    },
  });
  const httpHeaders = ['Authorization', 'X'].map((name) => ({ name, value: 'v' }));
  const postStart = { httpGet: { port: 80, scheme: 'HTTPS', httpHeaders } };
  await node.createPod('web-0', { containers: [{ ...web, lifecycle: { postStart } }] });
  await node.ready('web-0');
  assert.deepEqual(asked, ['HTTPS Authorization,X', 'HTTP X']);
  assert.ok(
    (await node.cluster.eventsOf('web-0')).some((event) => event.startsWith('LifecycleHTTPFallback: ')),
  );
});

it('a container’s own rules say after which exit codes it runs again', async () => {
  node.startAgent();
  const rule = { action: 'Restart', exitCodes: { operator: 'In', values: [42] } };
  await node.createPod('web-0', {
    restartPolicy: 'Never',
    containers: [{ ...web, restartPolicy: 'Never', restartPolicyRules: [rule] }],
  });
  await node.ready('web-0');
  const exit = async (code: number) => {
    const running = (await node.runtime.listContainers()).find(({ state }) => state === 'running');
    node.runtime.exit(running?.id ?? '', code);
  };
  const restarts = async () => (await node.get('web-0')).status?.containerStatuses?.[0]?.restartCount;
  await exit(42);
  await node.cluster.until(async () => (await restarts()) === 1, 'restarted');
  await node.ready('web-0');
  await exit(1);
  await node.cluster.until(async () => (await node.get('web-0')).status?.phase === 'Failed', 'Failed');
  assert.equal(await restarts(), 1);
  await node.cluster.client.delete(pods, { namespace: 'default', name: 'web-0' }, { gracePeriodSeconds: 0 });
});
