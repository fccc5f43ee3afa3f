// Commands in real containers that end before their input does, with kubectl over WebSocket and over SPDY.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Ran } from '../kit/run.ts';
import { noContainers, TestStead } from '../kit/stead.ts';

const MANIFEST = `
apiVersion: v1
kind: Pod
metadata: { name: shell }
spec:
  terminationGracePeriodSeconds: 0
  containers: [{ name: main, image: "stead.dev/toolbox:1", command: [sleep, infinity] }]
`;

/** More than the pipes and connections on the way hold. */
const INPUT_BYTES = 20_000_000;

describe('streams that end', { skip: noContainers }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'stead-streams-'));
  const input = join(directory, 'input');
  let stead: TestStead;

  before(async () => {
    writeFileSync(input, Buffer.alloc(INPUT_BYTES));
    stead = await TestStead.start('toolbox');
    await stead.apply(MANIFEST);
    await stead.kubectl('wait', 'pod/shell', '--for=condition=Ready', '--timeout=60s');
  });
  after(async () => {
    rmSync(directory, { recursive: true });
    await stead.purge();
  });

  /** Runs `kubectl exec -i` with the input; a command that hangs fails the test by its time limit. */
  const exec = (overWebsocket: boolean, script: string): Promise<Ran> => {
    const env = {
      ...process.env,
      KUBECONFIG: stead.kubeconfig,
      KUBECTL_REMOTE_COMMAND_WEBSOCKETS: String(overWebsocket),
      SCRIPT: script,
    };
    const command = `kubectl exec -i shell -- sh -c "$SCRIPT" < ${input}`;
    return new Promise((resolve) => {
      execFile('sh', ['-c', command], { env, timeout: 60_000 }, (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
      });
    });
  };

  for (const overWebsocket of [true, false]) {
    const protocol = overWebsocket ? 'WebSocket' : 'SPDY';

    it(`over ${protocol}, the command's end is told though its input is unread`, async () => {
      // Again and again: whether the input was stuck depended on who was quicker.
      for (let time = 0; time < 3; time++) {
        const { code, stdout, stderr } = await exec(
          overWebsocket,
          'head -c 5 >/dev/null; echo enough; exit 7',
        );
        assert.equal(code, 7, stderr);
        assert.equal(stdout, 'enough\n');
      }
    });

    it(`over ${protocol}, the exit code is told of a command that ends at once`, async () => {
      // containerd resets the connection on input that it has not read, as often as not before its last word is read.
      for (let time = 0; time < 10; time++) {
        const { code, stderr } = await exec(overWebsocket, 'exit 7');
        assert.equal(code, 7, stderr);
      }
    });

    it(`over ${protocol}, input that is read arrives whole`, async () => {
      const { code, stdout, stderr } = await exec(overWebsocket, 'sleep 0.2; wc -c');
      assert.equal(code, 0, stderr);
      assert.equal(Number(stdout), INPUT_BYTES);
    });
  }
});
