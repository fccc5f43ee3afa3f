// What `stead why` says: each scenario in scenarios.yaml has the objects that there are and the text that comes of them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { StatefulSet } from '../api/generated/types.ts';
import type { KubeObject, Stored } from '../api/objects.ts';
import { plan } from '../controllers/statefulset/plan.ts';
import { Evidence, type Objects } from './evidence.ts';
import { type Kind, linesOf, storyOf } from './story.ts';

type Written = KubeObject & { kind: string };

interface Scenario {
  name: string;
  ask: string;
  objects: Written[];
  says: string;
}

const NOW = Date.UTC(2026, 0, 1, 12);
const KINDS: Record<string, Kind> = { sts: 'statefulset', pod: 'pod', pvc: 'persistentvolumeclaim' };

const LISTS: Record<string, keyof Objects> = {
  StatefulSet: 'sets',
  Pod: 'pods',
  PersistentVolumeClaim: 'claims',
  ControllerRevision: 'revisions',
  PodDisruptionBudget: 'budgets',
  Event: 'events',
  PersistentVolume: 'volumes',
  StorageClass: 'classes',
  Node: 'nodes',
  Namespace: 'namespaces',
};
const CLUSTER_WIDE = ['PersistentVolume', 'StorageClass', 'Node', 'Namespace'];

/** The object as the API would have stored it; a pod `web-0` belongs to the set `web` if there is one. */
function stored(object: Written, sets: readonly string[]): Stored {
  const { kind, metadata } = object;
  const { name = '' } = metadata;
  const parent = kind === 'Pod' ? sets.find((set) => name.startsWith(`${set}-`)) : undefined;
  const owner = parent && {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    name: parent,
    uid: `StatefulSet-${parent}`,
    controller: true,
  };
  return {
    ...object,
    metadata: {
      uid: `${kind}-${name}`,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      generation: 1,
      ...(CLUSTER_WIDE.includes(kind) ? {} : { namespace: 'default' }),
      ...(owner ? { ownerReferences: [owner] } : {}),
      ...(parent ? { labels: { app: parent } } : {}),
      ...metadata,
      name,
    },
  };
}

/** What is the same in all sets of the scenarios. */
function completed(object: Written): Written {
  if (object.kind !== 'StatefulSet') return object;
  const { name = '' } = object.metadata;
  const base: Partial<StatefulSet['spec']> = {
    serviceName: name,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'app', image: 'app:1' }] },
    },
  };
  return Object.assign({}, object, { spec: { ...base, ...Object(Reflect.get(object, 'spec')) } });
}

/** Gives the set the revision of its template, and the pods that name none its name. */
function atTheirRevision(set: Stored, written: readonly Written[], lists: Map<string, Stored[]>): void {
  const observed = {
    pods: [],
    strangers: [],
    claims: [],
    expandableClasses: new Set<string>(),
    revisions: [],
    now: NOW,
  };
  const { deletionTimestamp: _any, ...metadata } = set.metadata;
  // Of kind StatefulSet, as its caller has seen.
  const alive = { ...set, metadata } as Stored<StatefulSet>;
  const [action] = plan({ ...observed, set: alive }).phases[0]?.actions ?? [];
  assert.ok(action?.type === 'createRevision');
  lists.get('revisions')?.push(stored({ ...action.revision, kind: 'ControllerRevision' }, []));
  for (const { kind, metadata } of written) {
    if (kind !== 'Pod' || !metadata.name?.startsWith(`${set.metadata.name}-`)) continue;
    const revision = action.revision.metadata.name ?? '';
    metadata.labels = { app: set.metadata.name, 'controller-revision-hash': revision, ...metadata.labels };
  }
}

function objectsOf(written: readonly Written[]): Objects {
  const sets = written
    .filter(({ kind }) => kind === 'StatefulSet')
    .map(({ metadata }) => metadata.name ?? '');
  const lists = new Map<string, Stored[]>(Object.values(LISTS).map((list) => [list, []]));
  for (const object of written) {
    const list = lists.get(LISTS[object.kind] ?? '');
    assert.ok(list, `no list for ${object.kind}`);
    const made = stored(completed(object), sets);
    list.push(made);
    if (object.kind === 'StatefulSet') atTheirRevision(made, written, lists);
  }
  // The lists are filled by kind.
  return Object.fromEntries(lists) as unknown as Objects;
}

const scenarios: Scenario[] = parse(readFileSync(new URL('./scenarios.yaml', import.meta.url), 'utf8'), {
  merge: true,
});
for (const { ask, name, objects, says } of scenarios) {
  test(name, () => {
    const [kind = '', asked = ''] = ask.split('/');
    const evidence = new Evidence(objectsOf(objects), 'default', NOW);
    const story = storyOf(KINDS[kind] ?? 'pod', asked, evidence);
    assert.ok(story);
    const lines = linesOf(story);
    assert.equal(`${lines.join('\n')}\n`, says);
    assert.ok(lines.length <= 24, 'more than a screen');
  });
}

test('what does not exist, and what no set would make, has no story', () => {
  const evidence = new Evidence(objectsOf([]), 'default', NOW);
  for (const kind of Object.values(KINDS)) assert.equal(storyOf(kind, 'web-0', evidence), undefined);
});
