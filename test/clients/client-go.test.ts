// A Go program speaks to stead with client-go, the library behind kubectl and most operators (go/main.go says what it
// does). Go's caches lie outside the repository; where there is no Go, or no way to its modules, the test says so.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, TestStead } from '../e2e/stead.ts';

const sources = join(import.meta.dirname, '..', '..', '..', 'test', 'clients', 'go');

function hasGo(): boolean {
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test('client-go: typed in protobuf, informer, server-side apply, leader election', {
  skip: hasGo() ? false : 'there is no Go on this machine',
}, async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'stead-go-'));
  context.after(() => rmSync(directory, { recursive: true }));
  const program = join(directory, 'client');
  const fetched = await run('go', ['-C', sources, 'mod', 'download']);
  if (fetched.code !== 0) return context.skip(`Go's modules cannot be had: ${fetched.stderr.split('\n')[0]}`);
  const built = await run('go', ['-C', sources, 'build', '-o', program, '.']);
  assert.equal(built.code, 0, built.stderr);
  const stead = new TestStead();
  try {
    await stead.up('--runtime', 'simulated');
    const { code, stdout, stderr } = await run(program, [], { env: { KUBECONFIG: stead.kubeconfig } });
    assert.equal(code, 0, stdout + stderr);
  } finally {
    await stead.purge();
  }
});
