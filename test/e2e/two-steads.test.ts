// Two steads on one machine: what one of them has of the machine's network the other has not, each says who the other is, and
// one that goes takes nothing of the other's with it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { noContainers, TestStead } from '../kit/stead.ts';

const manifest = (name: string): string => `
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: web }
spec:
  serviceName: web
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: c
          image: stead.dev/toolbox:1
          command: [sh, -c, "echo ${name} > /tmp/index.html; exec busybox httpd -f -p 8080 -h /tmp"]
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 }
`;

describe('two steads on one machine', { skip: noContainers }, () => {
  let one: TestStead;
  let two: TestStead;
  let isOnePurged = false;

  before(async () => {
    one = await TestStead.start('toolbox');
    two = await TestStead.start('toolbox');
    await Promise.all([one.apply(manifest('one')), two.apply(manifest('two'))]);
    await Promise.all([one.ready('web', 1), two.ready('web', 1)]);
  });
  after(async () => {
    if (!isOnePurged) await one?.purge();
    await two?.purge();
  });

  const answer = async (stead: TestStead): Promise<string> => {
    const fromPod = await stead.exec('web-0', 'curl', '-sS', '--max-time', '5', 'http://web/');
    const address = await stead.field('service/web', '.spec.clusterIP');
    return `${fromPod}${await (await fetch(`http://${address}/`)).text()}`;
  };

  it('each lead to their own pods, and say who the other is', async () => {
    assert.deepEqual([await answer(one), await answer(two)], ['one\none\n', 'two\ntwo\n']);
    const status = await Promise.all([one.must('status'), two.must('status')]);
    const network = (text: string): string[] =>
      [/ pods (\S+) on (\S+)$/m, /^services (\S+): /m].flatMap((part) => part.exec(text)?.slice(1) ?? []);
    const [first = [], second = []] = status.map(network);
    assert.ok(first.length === 3 && first.every((part) => !second.includes(part)), status.join('\n'));
    const [pods, bridge, services] = first;
    assert.ok(
      status[1]?.includes(
        `beside ${one.dataDirectory}  services ${services}  pods ${pods} on ${bridge}  table `,
      ),
      status[1],
    );
  });

  it('one goes, and the other stays as it is', async () => {
    await one.purge();
    isOnePurged = true;
    assert.equal(await answer(two), 'two\ntwo\n');
    assert.ok(!(await two.must('status')).includes(one.dataDirectory));
  });
});
