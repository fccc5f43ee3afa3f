// Two servers over one API, with all controllers, in virtual time: one leads, the other takes over, and back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orUndefined } from '../../api/errors.ts';
import { allResources } from '../../api/resources/all.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { serviceAccounts } from '../../api/resources/service-accounts/definition.ts';
import type { Client } from '../../client/client.ts';
import type { RunContext } from '../../client/run-context.ts';
import { createInformers } from '../../client/shared-informers.ts';
import { controllerOptions } from '../../testing/controller-options.ts';
import { fixedKinds } from '../../testing/fixed-kinds.ts';
import { startTestControlPlane } from '../../testing/test-control-plane.ts';
import { controllers } from './controllers.ts';
import { lead } from './lead.ts';

test('of two servers one leads; the next one does when it is cut off, and it again when that one has gone', async () => {
  const cluster = await startTestControlPlane();
  const { client } = cluster;
  await client.create(namespaces, { metadata: { name: 'kube-system' }, spec: {} });

  function start(identity: string) {
    const leading = new Set<string>();
    const stop = new AbortController();
    const line = { isCut: false };
    const own = through(client, () => {
      if (line.isCut) throw new Error('connection refused');
    });
    const { signal } = stop;
    const { clock, context } = cluster;
    const informers = createInformers(own, clock, context.log, signal);
    const server: RunContext = { ...context, client: own, informers, signal };
    const watched = Object.entries(controllers(controllerOptions(fixedKinds(allResources)))).map(
      ([name, run]) => [
        name,
        async (its: RunContext): Promise<void> => {
          leading.add(name);
          await run(its);
          leading.delete(name);
        },
      ],
    );
    const all = Object.fromEntries(watched);
    const ended = lead(server, identity, all, (_name, its) => ({ ...server, signal: its }));
    return { leading, stop, ended, line };
  }
  /** Somebody gives a new namespace its account. */
  const isServed = async (name: string): Promise<void> => {
    await client.create(namespaces, { metadata: { name }, spec: {} });
    const key = { namespace: name, name: 'default' };
    await cluster.until(
      async () => (await orUndefined(client.get(serviceAccounts, key))) !== undefined,
      name,
    );
  };

  const first = start('first');
  await cluster.clock.settle();
  const second = start('second');
  await isServed('one');
  await cluster.clock.advance(60_000);
  const all = first.leading.size;
  assert.ok(all > 15);
  assert.equal(second.leading.size, 0);

  first.line.isCut = true;
  await cluster.clock.advance(10_500);
  assert.equal(first.leading.size, 0, 'it steps down before its lease has run out');
  await cluster.until(() => second.leading.size === all, 'the second takes over');
  await isServed('two');

  first.line.isCut = false;
  second.stop.abort();
  await second.ended;
  await cluster.until(() => first.leading.size === all, 'the first leads again');
  await isServed('three');
  first.stop.abort();
  await first.ended;
  await cluster.stop();
});

/** The same client, behind a gate that may throw. */
function through(client: Client, gate: () => void): Client {
  const pass = async <T>(request: () => Promise<T>): Promise<T> => {
    gate();
    return request();
  };
  return {
    discover: () => pass(() => client.discover()),
    get: (...args) => pass(() => client.get(...args)),
    list: (...args) => pass(() => client.list(...args)),
    watch: (...args) => pass(() => client.watch(...args)),
    create: (...args) => pass(() => client.create(...args)),
    createSubresource: (...args) => pass(() => client.createSubresource(...args)),
    update: (...args) => pass(() => client.update(...args)),
    patch: (...args) => pass(() => client.patch(...args)),
    delete: (...args) => pass(() => client.delete(...args)),
  };
}
