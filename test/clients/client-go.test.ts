// Two Go programs speak to stead: one with client-go, the library behind kubectl, one with controller-runtime, that of
// most operators (go/client and go/operator say what they do). Each prints a line for every step that went well.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { run } from '../kit/run.ts';
import { startSimulated } from '../kit/simulated-stead.ts';
import type { TestStead } from '../kit/stead.ts';
import { findGoPrograms } from './go-programs.ts';

const found = findGoPrograms();

describe('programs in Go', { skip: 'why' in found && found.why }, () => {
  let stead: TestStead;

  before(async () => {
    stead = await startSimulated();
  });
  after(() => stead?.purge());

  async function steps(program: 'client' | 'operator'): Promise<string[]> {
    assert.ok(program in found && !('why' in found));
    const { code, stdout, stderr } = await run(found[program], [], { env: { KUBECONFIG: stead.kubeconfig } });
    assert.equal(code, 0, stdout + stderr);
    return [...stdout.matchAll(/^ok (.*)$/gm)].map(([, step = '']) => step);
  }

  it('client-go: typed in protobuf and JSON, dynamic, informers, apply, elections, evictions, tokens', async () => {
    assert.equal((await steps('client')).length, 12);
  });

  it('controller-runtime: a manager with caches, a controller with owned objects, its client', async () => {
    assert.equal((await steps('operator')).length, 8);
  });
});
