import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Waiting } from '../../api/between/waiting.ts';
import type { StatefulSet } from '../../api/generated/types.ts';
import { keyOf, type Stored } from '../../api/objects.ts';
import { StuckNews } from './stuck-news.ts';

function setOf(uid: string, stuckFor?: string): Stored<StatefulSet> {
  const conditions = stuckFor ? [{ type: 'Progressing', status: 'False', reason: stuckFor }] : [];
  const times = { resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
  return {
    metadata: { name: 'web', namespace: 'default', uid, ...times },
    spec: { selector: {}, template: {}, serviceName: 'web' },
    status: { replicas: 1, conditions },
  };
}

const waitingFor = (
  name: string,
  message: string,
  passing = false,
  reason = 'CrashLoopBackOff',
): Waiting => ({
  who: { kind: 'StatefulSet', name: 'web' },
  for: { kind: 'Pod', name },
  tobe: 'Ready',
  because: { reason, message, passing },
});

test('is told once, whatever becomes of the details, and again for another thing or another reason', () => {
  const news = new StuckNews();
  const set = setOf('a');
  assert.equal(news.of(set, waitingFor('web-0', 'it starts', true)), undefined);
  assert.equal(
    news.of(set, waitingFor('web-0', 'back-off: 10 s')),
    'web waits for web-0 to be Ready: back-off: 10 s',
  );
  assert.equal(news.of(set, waitingFor('web-0', 'back-off: 20 s')), undefined);
  assert.match(news.of(set, waitingFor('web-0', 'no image', false, 'ImagePullBackOff')) ?? '', /no image/);
  assert.match(news.of(set, waitingFor('web-1', 'no image', false, 'ImagePullBackOff')) ?? '', /web-1/);
});

test('is told again when it passed in between, and of another set of the name', () => {
  const news = new StuckNews();
  const stuck = waitingFor('web-0', 'it crashes');
  assert.ok(news.of(setOf('a'), stuck));
  assert.equal(news.of(setOf('a'), undefined), undefined);
  assert.ok(news.of(setOf('a'), stuck));
  assert.ok(news.of(setOf('b'), stuck));
  news.forget(keyOf(setOf('b')));
  assert.ok(news.of(setOf('b'), stuck));
});

test('is not repeated by a restart: the condition tells that it was told', () => {
  const news = new StuckNews();
  const set = setOf('a', 'CrashLoopBackOff');
  assert.equal(news.of(set, waitingFor('web-0', 'it crashes')), undefined);
  assert.ok(news.of(set, waitingFor('web-1', 'it crashes')));
});
