// What a pod gets of its RuntimeClass, and which pods are refused for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, Toleration } from '../../api/generated/types.ts';
import { pod, refusal } from '../test-objects.ts';
import { startTestServer, type TestServer } from '../test-server.ts';

async function serverWith(parts: object): Promise<TestServer> {
  const server = await startTestServer();
  const body = { metadata: { name: 'sandboxed' }, handler: 'kata', ...parts };
  await server.object('create', 'runtimeclasses', { body });
  return server;
}

const classed = (extra: object = {}, runtimeClassName = 'sandboxed'): object =>
  pod('a', { runtimeClassName, ...extra });

test('a pod of a class that is not there is refused', async () => {
  const server = await startTestServer();
  const { code, message } = await refusal(server.handle('create', 'pods', { body: classed() }));
  assert.equal(code, 403);
  assert.equal(message, 'pods "a" is forbidden: pod rejected: RuntimeClass "sandboxed" not found');
});

test('what the class takes of its own is set, and is nobody else’s to set', async () => {
  const server = await serverWith({ overhead: { podFixed: { cpu: '250m', memory: '120Mi' } } });
  const made = await server.object<Pod>('create', 'pods', { body: classed() });
  assert.deepEqual(made.spec.overhead, { cpu: '250m', memory: '120Mi' });
  const why = async (body: object): Promise<string | undefined> =>
    (await refusal(server.handle('create', 'pods', { body }))).message;
  assert.equal(
    await why(classed({ overhead: { cpu: '1' } })),
    "pods \"a\" is forbidden: pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
  );
  assert.equal(
    await why(pod('a', { overhead: { cpu: '1' } })),
    'pods "a" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
  );
});

test('where the class runs and what it puts up with join what the pod says', async () => {
  const taint = { key: 'kata', operator: 'Exists', effect: 'NoSchedule' };
  const server = await serverWith({ scheduling: { nodeSelector: { kata: 'yes' }, tolerations: [taint] } });
  const narrower = { key: 'kata', operator: 'Equal', value: 'x', effect: 'NoSchedule' };
  const body = classed({ nodeSelector: { disk: 'ssd' }, tolerations: [narrower] });
  const { spec } = await server.object<Pod>('create', 'pods', { body });
  assert.deepEqual(spec.nodeSelector, { disk: 'ssd', kata: 'yes' });
  const ofKata = (spec.tolerations ?? []).filter(({ key }: Toleration) => key === 'kata');
  assert.deepEqual(ofKata, [taint]);
  const other = classed({ nodeSelector: { kata: 'no' } });
  assert.match(
    (await refusal(server.handle('create', 'pods', { body: other }))).message ?? '',
    /conflict: runtimeClass\.scheduling\.nodeSelector\[kata\] = yes; pod\.spec\.nodeSelector\[kata\] = no$/,
  );
});

test('a class has a handler, and keeps it', async () => {
  const server = await serverWith({});
  const bad = { metadata: { name: 'b' }, handler: 'Not A Label' };
  assert.match(
    (await refusal(server.handle('create', 'runtimeclasses', { body: bad }))).message ?? '',
    /^RuntimeClass\.node\.k8s\.io "b" is invalid: handler: Invalid value: "Not A Label"/,
  );
  const body = { metadata: { name: 'sandboxed' }, handler: 'gvisor' };
  assert.match(
    (await refusal(server.handle('update', 'runtimeclasses', { name: 'sandboxed', body }))).message ?? '',
    /handler: Invalid value: "gvisor": field is immutable/,
  );
});
