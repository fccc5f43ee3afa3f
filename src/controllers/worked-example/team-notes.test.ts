// A controller from nothing, as CONTRIBUTING.md tells it, in one file: every namespace that says which team it belongs to
// holds a ConfigMap with the team's name. It is made, repaired when somebody changes or deletes it, and removed when the
// namespace belongs to no team any more. What a controller of stead is: a pure plan, a small `reconcile`, and which news
// lead to which keys. The tests below it run it in virtual time.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { orUndefined } from '../../api/errors.ts';
import type { ConfigMap, Namespace } from '../../api/generated/types.ts';
import { isTerminating, type ObjectKey, type Stored } from '../../api/objects.ts';
import { configMaps } from '../../api/resources/config-maps/definition.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { assertNever } from '../../base/assert-never.ts';
import { itself, runController, watch } from '../../client/controller.ts';
import { createRecorder } from '../../client/events.ts';
import type { RunContext } from '../../client/run-context.ts';
import { startTestControlPlane, type TestControlPlane } from '../../testing/test-control-plane.ts';

const TEAM = 'example.dev/team';
const NAME = 'team';

/** What there is to do; each is one write. */
type Plan =
  | { type: 'nothing' }
  | { type: 'create'; note: ConfigMap }
  | { type: 'update'; note: Stored<ConfigMap> }
  | { type: 'delete'; note: Stored<ConfigMap> };

/** The decision: from what is seen to what is to be done. It reads no clock and asks nobody. */
function planNote(namespace: Stored<Namespace>, note: Stored<ConfigMap> | undefined): Plan {
  const team = namespace.metadata.labels?.[TEAM];
  if (isTerminating(namespace)) return { type: 'nothing' };
  if (team === undefined) return note ? { type: 'delete', note } : { type: 'nothing' };
  const metadata = { namespace: namespace.metadata.name, name: NAME };
  if (!note) return { type: 'create', note: { metadata, data: { team } } };
  return note.data?.team === team
    ? { type: 'nothing' }
    : { type: 'update', note: { ...note, data: { ...note.data, team } } };
}

/** The rest: what is watched, and how the plan is carried out. Runs until the context's signal. */
async function runTeamNotes(context: RunContext): Promise<void> {
  const { client, informers } = context;
  const all = informers.of(namespaces);
  const notes = informers.of(configMaps);
  const recorder = createRecorder(context, 'team-notes');
  const itsNamespace = ({ metadata: { name, namespace } }: Stored): ObjectKey[] =>
    name === NAME && namespace ? [{ name: namespace }] : [];
  await runController(context, 'team_notes', {
    workers: 1,
    watches: [
      watch(all, { changed: itself }),
      watch(notes, { changed: itsNamespace, deleted: itsNamespace }),
    ],
    async reconcile({ name }) {
      const namespace = all.get(undefined, name);
      if (!namespace) return;
      const plan = planNote(namespace, notes.get(name, NAME));
      switch (plan.type) {
        case 'nothing':
          return;
        case 'create':
          await client.create(configMaps, plan.note);
          return recorder.event(namespace, 'Normal', 'NoteMade', `The team is ${plan.note.data?.team}`);
        case 'update':
          await client.update(configMaps, plan.note);
          return;
        case 'delete':
          await orUndefined(client.delete(configMaps, plan.note.metadata));
          return;
        default:
          assertNever(plan);
      }
    },
  });
}

describe('a controller from nothing', () => {
  let cluster: TestControlPlane;
  const teamOf = (namespace: string): string | undefined =>
    cluster.context.informers.of(configMaps).get(namespace, NAME)?.data?.team;
  const setTeam = (name: string, team: string | null) =>
    cluster.client.patch(
      namespaces,
      { name },
      { type: 'merge', body: { metadata: { labels: { [TEAM]: team } } } },
    );

  beforeEach(async () => {
    cluster = await startTestControlPlane();
    cluster.run(runTeamNotes(cluster.context));
    await setTeam('default', 'blue');
    await cluster.until(() => teamOf('default') === 'blue', 'the note is made');
  });
  afterEach(async () => {
    await cluster.stop();
    assert.deepEqual(cluster.complaints, []);
  });

  it('makes', async () => {
    await cluster.until(
      async () => (await cluster.eventsOf('default')).includes('NoteMade: The team is blue'),
      'it is told',
    );
    await cluster.client.create(namespaces, { metadata: { name: 'other' }, spec: {} });
    await cluster.clock.advance(60_000);
    assert.equal(teamOf('other'), undefined);
  });

  it('repairs what somebody changed or deleted', async () => {
    const key = { namespace: 'default', name: NAME };
    await cluster.client.patch(configMaps, key, { type: 'merge', body: { data: { team: 'red', own: 'x' } } });
    await cluster.until(() => teamOf('default') === 'blue', 'it is changed back');
    const { data } = await cluster.client.get(configMaps, key);
    assert.deepEqual(data, { team: 'blue', own: 'x' });
    const { uid } = (await cluster.client.get(configMaps, key)).metadata;
    await cluster.client.delete(configMaps, key);
    await cluster.until(async () => {
      const made = await orUndefined(cluster.client.get(configMaps, key));
      return made !== undefined && made.metadata.uid !== uid;
    }, 'it is made again');
  });

  it('follows its namespace, and removes what nobody wants any more', async () => {
    await setTeam('default', 'green');
    await cluster.until(() => teamOf('default') === 'green', 'it follows');
    await setTeam('default', null);
    await cluster.until(() => teamOf('default') === undefined, 'it is removed');
  });
});
