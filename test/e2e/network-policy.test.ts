// NetworkPolicies on real pods: a set that is closed to everybody but its friends and its own peers, whose names and probes go
// on; pods that send the moment they begin; labels that change; and stead itself, killed and come back.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, noContainers, TestStead } from '../kit/stead.ts';

const TOOLBOX = 'stead.dev/toolbox:1';

const idle = (name: string, namespace: string, labels: string): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${namespace}, labels: { ${labels} } }
spec:
  terminationGracePeriodSeconds: 0
  containers: [{ name: c, image: ${TOOLBOX}, command: [sleep, infinity] }]
---`;

const PODS = `
apiVersion: v1
kind: Namespace
metadata: { name: beside }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { clusterIP: None, selector: { app: web }, ports: [{ port: 8080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: front }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: http }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: web }
spec:
  serviceName: web
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: c
          image: ${TOOLBOX}
          command: [sh, -c, "hostname > /tmp/index.html; exec busybox httpd -f -p 8080 -h /tmp"]
          ports: [{ name: http, containerPort: 8080 }]
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 }
---
${idle('friend', 'default', 'role: friend')}
${idle('stranger', 'default', 'role: stranger')}
${idle('neighbour', 'beside', 'role: neighbour')}
`;

const POLICIES = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: closed }
spec: { podSelector: {}, policyTypes: [Ingress, Egress] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web }
spec:
  podSelector: { matchLabels: { app: web } }
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - podSelector: { matchLabels: { role: friend } }
        - podSelector: { matchLabels: { app: web } }
        - namespaceSelector: { matchLabels: { trusted: "yes" } }
      ports: [{ port: http }]
  egress:
    - to: [{ podSelector: { matchLabels: { app: web } } }]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: friends }
spec:
  podSelector: { matchLabels: { role: friend } }
  policyTypes: [Egress]
  egress: [{ to: [{ podSelector: { matchLabels: { app: web } } }], ports: [{ port: http }] }]
`;

/** Asks the moment it begins, and again: each answer is a line. A packet that is dropped is sent again after a second. */
const eager = (name: string, role: string, host: string): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { role: ${role}, eager: "" } }
spec:
  restartPolicy: Never
  containers:
    - name: c
      image: ${TOOLBOX}
      command: [sh, -c, "for i in 1 2 3; do curl -s --max-time 0.9 http://${host}:8080/; done; echo over"]
---`;

/** Asks twenty times in a second, for ever. */
const knocker = (host: string): string => `
apiVersion: v1
kind: Pod
metadata: { name: knocker }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: c
      image: ${TOOLBOX}
      command: [sh, -c, "while :; do curl -s --max-time 0.05 http://${host}:8080/; done"]
`;

describe('NetworkPolicies', { skip: noContainers }, () => {
  let stead: TestStead;
  let web0 = '';

  before(async () => {
    stead = await TestStead.start('toolbox');
    await stead.apply(PODS);
    await stead.ready('web', 2);
    await stead.kubectl('wait', '--for=condition=Ready', 'pod/friend', 'pod/stranger', '--timeout=120s');
    await stead.kubectl('wait', '--for=condition=Ready', 'pod/neighbour', '-n', 'beside', '--timeout=120s');
    web0 = await stead.field('pod/web-0', '.status.podIP');
  });
  after(() => stead?.purge());

  /** What the pod gets: the name of who answers, or nothing. */
  const ask = async (pod: string, host: string, seconds = 2): Promise<string> => {
    const [namespace, name] = pod.includes('/') ? pod.split('/') : ['default', pod];
    const curl = ['curl', '-s', '--max-time', `${seconds}`, `http://${host}/`];
    return (await stead.tryKubectl(['exec', '-n', `${namespace}`, `${name}`, '--', ...curl])).stdout.trim();
  };
  const becomes = (what: string, pod: string, host: string, expected: RegExp): Promise<string> =>
    eventually(
      what,
      () => ask(pod, host),
      (answer) => expected.test(answer),
    );

  it('are not missed while there are none', async () => {
    for (const pod of ['friend', 'stranger', 'web-1', 'beside/neighbour']) {
      assert.equal(await ask(pod, `${web0}:8080`), 'web-0');
    }
    assert.match(await stead.must('status'), /^network policies enforced$/m);
  });

  it('close pods to all but whom they let in, by name, by Service, and for their own peers', async () => {
    assert.doesNotMatch(await stead.apply(POLICIES), /Warning/);
    await becomes('a stranger is kept out', 'stranger', `${web0}:8080`, /^$/);
    assert.equal(await ask('beside/neighbour', `${web0}:8080`), '');
    assert.equal(await ask('friend', 'web-0.web:8080'), 'web-0');
    assert.match(await ask('friend', 'front'), /^web-[01]$/);
    assert.equal(await ask('web-1', 'web-0.web:8080'), 'web-0');
    assert.equal(await ask('stranger', 'front'), '');
    // Its probes come from the node.
    await stead.ready('web', 2);
  });

  it('follow the labels of pods and of namespaces', async () => {
    await stead.kubectl('label', 'pod/stranger', 'role=friend', '--overwrite');
    await becomes('a stranger has become a friend', 'stranger', `${web0}:8080`, /^web-0$/);
    await stead.kubectl('label', 'pod/stranger', 'role=stranger', '--overwrite');
    await becomes('the friend is a stranger again', 'stranger', `${web0}:8080`, /^$/);
    await stead.kubectl('label', 'namespace/beside', 'trusted=yes');
    await becomes('its namespace is trusted', 'beside/neighbour', `${web0}:8080`, /^web-0$/);
    await stead.kubectl('label', 'namespace/beside', 'trusted-');
    await becomes('its namespace is not trusted', 'beside/neighbour', `${web0}:8080`, /^$/);
  });

  it('hold for a new pod of the set, and for what it is asked by others', async () => {
    await stead.kubectl('delete', 'pod/web-0');
    await stead.ready('web', 2);
    web0 = await stead.field('pod/web-0', '.status.podIP');
    assert.equal(await ask('friend', 'web-0.web:8080'), 'web-0');
    assert.equal(await ask('stranger', `${web0}:8080`), '');
  });

  it('hold for the first packet of a pod, be it let in or not', async () => {
    const numbers = [1, 2, 3, 4, 5];
    const pods = numbers.map((number) => eager(`eager-${number}`, 'stranger', web0));
    const friends = numbers.map((number) => eager(`friend-${number}`, 'friend', web0));
    await stead.apply([...pods, ...friends].join(''));
    const heard = async (pod: string): Promise<string[]> => {
      await stead.kubectl('wait', `pod/${pod}`, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=120s');
      return (await stead.kubectl('logs', pod)).trim().split('\n');
    };
    for (const number of numbers) {
      assert.deepEqual(await heard(`eager-${number}`), ['over']);
      assert.deepEqual(await heard(`friend-${number}`), ['web-0', 'web-0', 'web-0', 'over']);
    }
    await stead.kubectl('delete', 'pod', '-l', 'eager');
  });

  it('hold while stead is gone, and at every moment of its coming back', async () => {
    await stead.apply(knocker(web0));
    await stead.kubectl('wait', '--for=condition=Ready', 'pod/knocker', '--timeout=120s');
    stead.kill();
    await stead.up();
    assert.equal(await ask('stranger', `${web0}:8080`), '');
    assert.equal(await ask('friend', `${web0}:8080`), 'web-0');
    assert.equal(await stead.kubectl('logs', 'knocker'), '');
  });

  it('open what they closed when they go', async () => {
    await stead.kubectl('delete', 'networkpolicy', '--all');
    await becomes('a stranger comes in again', 'stranger', `${web0}:8080`, /^web-0$/);
  });
});
