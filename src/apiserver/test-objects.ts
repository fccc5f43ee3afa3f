// What the tests of this room write and expect: small objects, refusals, events.
import type { WatchEvent } from '../api/list-watch.ts';
import type { TestServer } from './test-server.ts';

export const configMap = (name: string, data: Record<string, string> = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

export const pod = (name: string, extra: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'nginx' }], ...extra },
});

export async function nextEvents(stream: {
  next(): Promise<readonly WatchEvent[] | undefined>;
}): Promise<string[]> {
  const events = (await stream.next()) ?? [];
  return events.map(
    ({ type, object }) =>
      `${type} ${'metadata' in object ? (object.metadata as { name?: string }).name : ''}`,
  );
}

export async function refusal(
  promise: Promise<unknown>,
): Promise<{ code?: number; message?: string; reason?: string }> {
  try {
    await promise;
  } catch (error) {
    return (error as { status: object }).status;
  }
  throw new Error('was not refused');
}

export async function scheduled(server: TestServer, name: string, extra: object = {}): Promise<void> {
  await server.object('create', 'pods', { body: pod(name, extra) });
  const body = { metadata: { name }, target: { kind: 'Node', name: 'node-1' } };
  await server.object('create', 'pods', { name, subresource: 'binding', body });
}
