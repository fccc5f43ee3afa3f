// Names that mean something to the machine behind: to JavaScript's objects, to file systems, to terminals. They are
// data, or they are refused; they never do anything.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Target } from './attacker.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const PODS = '/api/v1/namespaces/default/pods';

describe('names', () => {
  let target: Target;
  before(async () => {
    target = await Target.start();
  });
  after(() => target?.end());

  /** Nothing that was sent has got into objects that never asked for it. */
  const clean = async (): Promise<void> => {
    const name = `clean-${Math.random().toString(36).slice(2)}`;
    const { text } = await target.admin('POST', MAPS, { metadata: { name } });
    assert.ok(!text.includes('polluted'), text);
    assert.equal((await target.try('GET', '/readyz')).code, 200);
    assert.equal((await target.try('GET', '/api/v1/secrets')).code, 403, 'anonymous is still nobody');
  };

  it('takes JavaScript names for data, or refuses them, in every body', async () => {
    const wanted = '{"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}}}';
    const bodies = [
      `{"metadata":{"name":"p1"},"data":{"__proto__":"polluted"}}`,
      `{"metadata":{"name":"p2","labels":{"__proto__":"polluted"}}}`,
      `{"metadata":{"name":"p3","annotations":{"constructor":"polluted","x/__proto__":"v"}}}`,
      `{"metadata":{"name":"p4"},"__proto__":{"polluted":"yes","data":{"polluted":"yes"}}}`,
      `{"metadata":{"name":"p5","__proto__":{"namespace":"kube-system","polluted":"yes"}}}`,
      `{"metadata":{"name":"__proto__"}}`,
      `{"metadata":{"name":"constructor"},"data":${wanted}}`,
    ];
    for (const body of bodies) {
      const { code } = await target.try('POST', MAPS, { asAdmin: true, body });
      assert.ok(code < 500, `${body}: ${code}`);
      await clean();
    }
  });

  it('takes them for data in every kind of patch', async () => {
    await target.admin('POST', MAPS, { metadata: { name: 'patched' } });
    const patches: Record<string, string[]> = {
      'application/merge-patch+json': [
        '{"__proto__":{"polluted":"yes"}}',
        '{"metadata":{"__proto__":{"polluted":"yes"}}}',
        '{"data":{"__proto__":"polluted"}}',
        '{"constructor":{"prototype":{"polluted":"yes"}}}',
      ],
      'application/strategic-merge-patch+json': [
        '{"__proto__":{"polluted":"yes"}}',
        '{"metadata":{"ownerReferences":[{"__proto__":{"polluted":"yes"},"uid":"x"}]}}',
        '{"metadata":{"$patch":"__proto__"}}',
        '{"$retainKeys":["__proto__"],"$setElementOrder/__proto__":["polluted"]}',
      ],
      'application/json-patch+json': [
        '[{"op":"add","path":"/__proto__/polluted","value":"yes"}]',
        '[{"op":"add","path":"/constructor/prototype/polluted","value":"yes"}]',
        '[{"op":"add","path":"/metadata/__proto__","value":{"polluted":"yes"}}]',
        '[{"op":"copy","from":"/metadata/name","path":"/__proto__/polluted"}]',
        '[{"op":"move","from":"/__proto__","path":"/metadata/labels"}]',
        '[{"op":"test","path":"/__proto__/toString","value":null}]',
      ],
      'application/apply-patch+yaml': [
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"patched","__proto__":{"polluted":"yes"}}}',
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: patched}\ndata: {__proto__: polluted}\n',
        'a: &a {polluted: "yes"}\n__proto__: *a\n<<: *a\n',
      ],
    };
    for (const [type, bodies] of Object.entries(patches)) {
      for (const body of bodies) {
        const { code } = await target.try('PATCH', `${MAPS}/patched?fieldManager=x`, {
          asAdmin: true,
          body,
          headers: { 'content-type': type },
        });
        assert.ok(code < 500, `${type} ${body}: ${code}`);
        await clean();
      }
    }
  });

  it('takes them for data in paths, queries and selectors', async () => {
    for (const path of [
      '/api/v1/namespaces/__proto__/configmaps/constructor',
      '/api/v1/__proto__',
      '/apis/__proto__/constructor',
      '/apis/apps/v1/namespaces/default/hasOwnProperty',
      `${MAPS}/toString`,
      `${MAPS}?labelSelector=__proto__`,
      `${MAPS}?fieldSelector=__proto__%3Dx`,
      `${MAPS}?__proto__=1&constructor=2&__proto__[polluted]=yes`,
      '/openapi/v3/apis/__proto__',
      '/readyz/__proto__',
      '/readyz?exclude=__proto__',
    ]) {
      const { code } = await target.try('GET', path, { asAdmin: true });
      assert.ok(code < 500, `${path}: ${code}`);
    }
    await clean();
  });

  it('refuses names that lead somewhere on a disk', async () => {
    const pod = (spec: object, name = 'p'): object => ({
      metadata: { name },
      spec: { containers: [{ name: 'c', image: 'x' }], ...spec },
    });
    const mounted = (mount: object, volume: object = { emptyDir: {} }): object =>
      pod({
        volumes: [{ name: 'v', ...volume }],
        containers: [{ name: 'c', image: 'x', volumeMounts: [{ name: 'v', mountPath: '/m', ...mount }] }],
      });
    const item = (path: string): object => ({ items: [{ key: 'k', path }], name: 'm' });
    const pods: Record<string, object> = {
      'the pod': pod({}, '../p'),
      'a container': pod({ containers: [{ name: '../../etc', image: 'x' }] }),
      'a volume': pod({ volumes: [{ name: '../v', emptyDir: {} }] }),
      'a subPath': mounted({ subPath: '../../etc' }),
      'a subPath in the middle': mounted({ subPath: 'a/../../etc' }),
      'an absolute subPath': mounted({ subPath: '/etc' }),
      'a subPathExpr': mounted({ subPathExpr: '../$(X)' }),
      'a configMap item': mounted({}, { configMap: item('../../etc/passwd') }),
      'an absolute item': mounted({}, { configMap: item('/etc/passwd') }),
      'a projected item': mounted({}, { projected: { sources: [{ configMap: item('..data/x') }] } }),
      'a token path': mounted({}, { projected: { sources: [{ serviceAccountToken: { path: '../t' } }] } }),
      'a hostPath': mounted({}, { hostPath: { path: '/var/../../etc' } }),
      'a seccomp profile': pod({
        securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: '../../etc/passwd' } },
      }),
      'the hostname': pod({ hostname: '../h' }),
      'a host alias': pod({ hostAliases: [{ ip: '1.2.3.4\n6.6.6.6 evil', hostnames: ['a'] }] }),
      'a search domain': pod({ dnsConfig: { searches: ['a\nnameserver 6.6.6.6'] } }),
    };
    for (const [what, body] of Object.entries(pods)) {
      const { code, text } = await target.try('POST', `${PODS}?dryRun=All`, { asAdmin: true, body });
      assert.equal(code, 422, `${what}: ${code} ${text}`);
    }
    for (const key of ['../x', '..', '.', 'a/b', 'a\\b\0', '..data/x']) {
      const body = { metadata: { name: 'keys' }, data: { [key]: 'v' } };
      const { code } = await target.try('POST', MAPS, { asAdmin: true, body });
      assert.equal(code, 422, JSON.stringify(key));
    }
  });

  it('logs what clients send on one line each', async () => {
    const name = encodeURIComponent('x\n2026-01-01T00:00:00.000Z ERROR forged: line');
    await target.try('GET', `${MAPS}/${name}`, { asAdmin: true, headers: { 'user-agent': 'a\tb' } });
    const log = readFileSync(`${target.stead.dataDirectory}/stead.log`, 'utf8');
    assert.ok(!/^2026-01-01.*forged/m.test(log));
  });
});
