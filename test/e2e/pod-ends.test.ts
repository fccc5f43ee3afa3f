// Pods on real containers: how they end (preStop, sidecars, readiness meanwhile), what reaches them while they run, and
// what their containers find when they start.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { eventually, noContainers, TestStead } from '../kit/stead.ts';

const IMAGE = 'stead.dev/toolbox:1';
/** What a container says and when, in seconds since the machine has started, is in its log. */
const say = (word: string): string => `echo ${word} $(cut -d. -f1 /proc/uptime)`;
const onTerm = (command: string): string => `trap '${command}; exit 0' TERM; while true; do sleep 0.1; done`;
const shell = (script: string): string[] => ['sh', '-c', script];
const inLog = (script: string): object => ({ exec: { command: shell(`exec > /proc/1/fd/1; ${script}`) } });

describe('pods on real containers', { skip: noContainers }, () => {
  let stead: TestStead;
  before(async () => {
    stead = await TestStead.start('toolbox');
  });
  after(() => stead?.purge());

  async function create(name: string, spec: object, metadata: object = {}): Promise<void> {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec };
    await stead.apply(JSON.stringify(pod));
  }
  const container = (name: string, script: string, more: object = {}): object => ({
    name,
    image: IMAGE,
    command: shell(script),
    ...more,
  });
  const running = (name: string): Promise<string> =>
    stead.kubectl('wait', `pod/${name}`, '--for=condition=Ready', '--timeout=120s');
  const logOf = (name: string, script: string, of: string): Promise<string> =>
    eventually(
      `the log of ${name}`,
      async () => (await stead.tryKubectl(['logs', name, '-c', script])).stdout,
      (log) => log.includes(of),
    );
  /** Deletes a pod and gives the lines of a container's log: what was said, and when. */
  async function lastWords(
    name: string,
    of: string,
    meanwhile: () => Promise<void> = async () => {},
  ): Promise<Array<readonly [string, number]>> {
    const log = stead.tryKubectl(['logs', '-f', name, '-c', of]);
    await stead.kubectl('delete', 'pod', name, '--wait=false');
    await meanwhile();
    await stead.kubectl('wait', `pod/${name}`, '--for=delete', '--timeout=120s');
    const lines = (await log).stdout.trim().split('\n');
    return lines.map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1] ?? 0)] as const);
  }
  const phase = (name: string, wanted: string): Promise<string> =>
    eventually(
      `${name} is ${wanted}`,
      () => stead.field(`pod/${name}`, '.status.phase'),
      (is) => is === wanted,
    );

  it('the stop signal comes after preStop, although the pod is labelled and another container ends', async () => {
    const preStop = inLog(`${say('begin')}; sleep 4; ${say('end')}`);
    await create('drains', {
      containers: [
        container('db', `echo up 0; ${onTerm(say('TERM'))}`, { lifecycle: { preStop } }),
        container('log', onTerm('true')),
      ],
    });
    await running('drains');
    await logOf('drains', 'db', 'up');
    const words = await lastWords('drains', 'db', async () => {
      await logOf('drains', 'db', 'begin');
      await stead.kubectl('label', 'pod', 'drains', 'role=replica');
    });
    assert.deepEqual(
      words.map(([word]) => word),
      ['up', 'begin', 'end', 'TERM'],
    );
  });

  it('a sidecar’s preStop begins with the pod’s end, and its signal waits for the app', async () => {
    const preStop = inLog(`${say('begin')}; sleep 1; ${say('end')}`);
    await create('proxied', {
      initContainers: [
        container('proxy', `echo up 0; ${onTerm(say('TERM'))}`, {
          restartPolicy: 'Always',
          lifecycle: { preStop },
        }),
      ],
      containers: [container('db', onTerm('sleep 5'))],
    });
    await running('proxied');
    await logOf('proxied', 'proxy', 'up');
    const words = await lastWords('proxied', 'proxy');
    assert.deepEqual(
      words.map(([word]) => word),
      ['up', 'begin', 'end', 'TERM'],
    );
    const at = new Map(words);
    assert.ok((at.get('TERM') ?? 0) - (at.get('begin') ?? 0) >= 4, JSON.stringify(words));
  });

  it('a terminating pod whose probe succeeds is ready, and its endpoint serves', async () => {
    await stead.apply(
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'serves' },
        spec: { clusterIP: 'None', selector: { app: 'serves' }, ports: [{ port: 80 }] },
      }),
    );
    const readinessProbe = {
      exec: { command: shell('test ! -e /closed') },
      periodSeconds: 1,
      failureThreshold: 1,
    };
    await create(
      'serves',
      { containers: [container('web', onTerm('sleep 60'), { readinessProbe })] },
      { labels: { app: 'serves' } },
    );
    await running('serves');
    await stead.kubectl('delete', 'pod', 'serves', '--wait=false');
    const conditions = async (): Promise<unknown> => {
      const args = ['get', 'endpointslices', '-l', 'kubernetes.io/service-name=serves', '-o', 'json'];
      return JSON.parse((await stead.tryKubectl(args)).stdout).items[0]?.endpoints?.[0]?.conditions;
    };
    const terminating = { ready: false, terminating: true };
    const are = (wanted: object) => (is: unknown) => {
      try {
        assert.deepEqual(is, wanted);
        return true;
      } catch {
        return false;
      }
    };
    await eventually('it serves', conditions, are({ ...terminating, serving: true }));
    await stead.exec('serves', 'touch', '/closed');
    await eventually('it does not', conditions, are({ ...terminating, serving: false }));
    await stead.kubectl('delete', 'pod', 'serves', '--grace-period=1');
  });

  it('a changed configMap reaches a pod beside one whose volume cannot be made', async () => {
    const volume = (name: string): object => ({ volumes: [{ name: 'v', configMap: { name } }] });
    const mounted = container('app', 'sleep 1000', { volumeMounts: [{ name: 'v', mountPath: '/v' }] });
    await create('broken', { ...volume('not-there'), containers: [mounted] });
    await stead.kubectl('create', 'configmap', 'settings', '--from-literal=k=old');
    await create('good', { ...volume('settings'), containers: [mounted] });
    await running('good');
    await stead.kubectl('patch', 'configmap', 'settings', '-p', '{"data":{"k":"new"}}');
    await eventually(
      'the file says so',
      () => stead.exec('good', 'cat', '/v/k'),
      (content) => content === 'new',
    );
    const events = await stead.kubectl('get', 'events', '--field-selector=involvedObject.name=broken');
    assert.match(events, /FailedMount .*configmap "not-there" not found/);
    await stead.kubectl('delete', 'pod', 'broken', 'good', '--grace-period=1');
  });

  it('a subPathExpr with a variable that is not there starts no container', async () => {
    await create('nowhere', {
      containers: [
        container('app', 'sleep 1000', {
          volumeMounts: [{ name: 'v', mountPath: '/v', subPathExpr: 'logs/$(POD_NAME)' }],
        }),
      ],
      volumes: [{ name: 'v', emptyDir: {} }],
    });
    await eventually(
      'it says so',
      () => stead.field('pod/nowhere', '.status.containerStatuses[0].state.waiting'),
      (waiting) => /missing value for POD_NAME","reason":"CreateContainerConfigError"}$/.test(waiting),
    );
    await stead.kubectl('delete', 'pod', 'nowhere', '--grace-period=1');
  });

  it('containers find aliases, services, their host name in full, and the kernel parameters that are safe', async () => {
    await stead.apply(
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'redis-master' },
        spec: { selector: { a: 'b' }, ports: [{ name: 'tcp-redis', port: 6379 }] },
      }),
    );
    const once = (script: string, spec: object): object => ({
      restartPolicy: 'Never',
      containers: [container('app', script)],
      ...spec,
    });
    const before = readFileSync('/etc/hosts', 'utf8');
    const hostAliases = [{ ip: '10.1.2.3', hostnames: ['db.local', 'db2.local'] }];
    await create('aliased', once('cat /etc/hosts', { hostNetwork: true, hostAliases }));
    const finds =
      'hostname; cat /proc/sys/net/ipv4/tcp_keepalive_time; echo $REDIS_MASTER_SERVICE_PORT_TCP_REDIS';
    await create(
      'finds',
      once(finds, {
        hostname: 'web',
        subdomain: 'shop',
        setHostnameAsFQDN: true,
        securityContext: { sysctls: [{ name: 'net.ipv4.tcp_keepalive_time', value: '77' }] },
      }),
    );
    await create('alone', once('env | grep -c ^REDIS_MASTER || true', { enableServiceLinks: false }));
    const unsafe = { securityContext: { sysctls: [{ name: 'net.core.somaxconn', value: '7' }] } };
    await create('unsafe', once('true', unsafe));
    for (const name of ['aliased', 'finds', 'alone']) await phase(name, 'Succeeded');
    await phase('unsafe', 'Failed');
    const aliased = await stead.kubectl('logs', 'aliased');
    assert.ok(aliased.includes(before) && aliased.endsWith('10.1.2.3\tdb.local\tdb2.local\n'), aliased);
    assert.equal(readFileSync('/etc/hosts', 'utf8'), before);
    assert.equal(await stead.kubectl('logs', 'finds'), 'web.shop.default.svc.cluster.local\n77\n6379\n');
    assert.equal(await stead.kubectl('logs', 'alone'), '0\n');
    assert.equal(await stead.field('pod/unsafe', '.status.reason'), 'SysctlForbidden');
  });

  it('a probe goes where it is redirected to on the pod, and says so when it is sent elsewhere', async () => {
    const redirecting = (to: string): string =>
      `mkdir -p /www/cgi-bin; printf '#!/bin/sh\\necho "Status: 302 Found"; echo "Location: ${to}"; echo\\n' > /www/cgi-bin/health; ` +
      'chmod +x /www/cgi-bin/health; exec httpd -f -p 8080 -h /www';
    const readinessProbe = { httpGet: { path: '/cgi-bin/health', port: 8080 }, periodSeconds: 1 };
    await create('sick', {
      containers: [container('web', redirecting('/missing'), { readinessProbe })],
    });
    await create('away', {
      containers: [container('web', redirecting('http://elsewhere.invalid/'), { readinessProbe })],
    });
    await running('away');
    const eventsOf = (name: string) => (): Promise<string> =>
      stead.kubectl('get', 'events', `--field-selector=involvedObject.name=${name}`);
    await eventually('a warning', eventsOf('away'), (events) => events.includes('ProbeWarning'));
    await eventually('a failure', eventsOf('sick'), (events) => events.includes('statuscode: 404'));
    assert.notEqual(await stead.field('pod/sick', '.status.conditions[?(@.type=="Ready")].status'), 'True');
    await stead.kubectl('delete', 'pod', 'sick', 'away', '--grace-period=1');
  });
});
