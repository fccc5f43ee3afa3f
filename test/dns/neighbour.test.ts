// No open resolver: pods and the machine itself are answered, and a neighbour on the network, who can reach the server's
// address, is told nothing. Three network namespaces stand for the machine, a pod and the neighbour.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run } from '../kit/run.ts';
import { noContainers } from '../kit/stead.ts';
import { noDig } from './dig.ts';

const GATEWAY = '10.244.0.1';
const [MACHINE, POD, NEIGHBOUR] = ['machine', 'pod', 'neighbour'].map(
  (name) => `stead-${name}-${process.pid}`,
);

describe('who asks', { skip: noDig || noContainers }, () => {
  let server: ChildProcess | undefined;
  const ip = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await run('ip', args);
    assert.equal(code, 0, `ip ${args.join(' ')}: ${stderr}`);
  };
  const ask = async (from: string | undefined, ...args: string[]): Promise<string> => {
    const { stdout } = await run('ip', [
      ...['netns', 'exec', from ?? '', 'dig', `@${GATEWAY}`, '+tries=1', '+timeout=1'],
      ...['+noall', '+answer', '+comments', 'dns-version.cluster.local', 'TXT', ...args],
    ]);
    return stdout.includes('"1.1.0"') ? 'answered' : stdout.includes('status:') ? 'refused' : 'nothing';
  };

  before(async () => {
    for (const name of [MACHINE, POD, NEIGHBOUR]) {
      await ip('netns', 'add', name ?? '');
      await ip('-n', name ?? '', 'link', 'set', 'lo', 'up');
    }
    for (const [other, here, there, prefix] of [
      [POD, GATEWAY, '10.244.0.9', 20],
      [NEIGHBOUR, '192.0.2.1', '192.0.2.2', 24],
    ] as const) {
      const [near, far] = other === POD ? ['to-pod', 'pod0'] : ['to-out', 'out0'];
      const names = ['netns', MACHINE ?? '', 'type', 'veth', 'peer', 'name', far, 'netns', other ?? ''];
      await ip('link', 'add', near, ...names);
      await ip('-n', MACHINE ?? '', 'address', 'add', `${here}/${prefix}`, 'dev', near);
      await ip('-n', MACHINE ?? '', 'link', 'set', near, 'up');
      await ip('-n', other ?? '', 'address', 'add', `${there}/${prefix}`, 'dev', far);
      await ip('-n', other ?? '', 'link', 'set', far, 'up');
      await ip('-n', other ?? '', 'route', 'add', 'default', 'via', here);
    }
    const script = join(import.meta.dirname, 'serve.js');
    const command = ['netns', 'exec', MACHINE ?? '', process.execPath, script, GATEWAY, '10.244.0.0/20'];
    server = spawn('ip', command, { stdio: ['pipe', 'pipe', 'inherit'] });
    assert.ok(server.stdout);
    await once(server.stdout, 'data');
  });
  after(async () => {
    server?.stdin?.end();
    if (server?.exitCode === null) await once(server, 'exit');
    for (const name of [MACHINE, POD, NEIGHBOUR]) await run('ip', ['netns', 'delete', name ?? '']);
  });

  it('a pod is answered', async () => {
    assert.deepEqual([await ask(POD), await ask(POD, '+tcp')], ['answered', 'answered']);
  });
  it('the machine is answered, by whichever of its addresses it asks', async () => {
    assert.deepEqual([await ask(MACHINE), await ask(MACHINE, '-b', '192.0.2.1')], ['answered', 'answered']);
  });
  it('a neighbour is told nothing', async () => {
    // A port where nobody listens says so: the address is reached.
    const probe = `echo > /dev/tcp/${GATEWAY}/9`;
    const { stderr } = await run('ip', ['netns', 'exec', NEIGHBOUR ?? '', 'bash', '-c', probe]);
    assert.match(stderr, /Connection refused/);
    assert.deepEqual([await ask(NEIGHBOUR), await ask(NEIGHBOUR, '+tcp')], ['nothing', 'nothing']);
  });
});
