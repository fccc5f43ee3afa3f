// Golden scenarios: each file in scenarios/ says which sentence of the documentation it holds true, what is observed,
// and what plan makes of it. UPDATE_SCENARIOS=1 writes what plan says now into the files; read the difference.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { sentenceOf } from '../../api/between/waiting.ts';
import type { ControllerRevision, PersistentVolumeClaim, Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import type { Action, ClaimWork, Plan } from './actions.ts';
import { parentOf } from './identity.ts';
import type { Observation } from './observation.ts';
import { plan } from './plan.ts';
import {
  makeClaims,
  makePod,
  makeSet,
  type PodOptions,
  revisionFor,
  type SetOptions,
  START,
  stored,
} from './test-fixtures.ts';

interface ScenarioPod extends Omit<PodOptions, 'revision' | 'readySince'> {
  /** `new` is that of the set's template, the others those of `images`. */
  revision?: string;
  readySecondsAgo?: number;
  /** A merge patch of the pod. */
  with?: unknown;
}

interface Scenario {
  holds: string;
  source: string;
  set?: SetOptions;
  /** Names of older revisions, oldest first: the image that each has, or a merge patch of the set's template. */
  history?: Record<string, unknown>;
  /** Which revision the status calls current. */
  current?: string;
  /** Whether the revision of the set's template exists already; true if left out. */
  newExists?: boolean;
  pods?: ScenarioPod[];
  strangers?: ScenarioPod[];
  /** Ordinals whose claims exist; those of all pods if left out. */
  claimsOf?: number[];
  /** Merge patches of claims, by name. */
  claimsWith?: Record<string, unknown>;
  /** Storage classes whose volumes can grow. */
  expandableClasses?: string[];
  /** Show created and updated objects whole. */
  whole?: boolean;
  expect?: unknown;
}

/** Merged as a JSON merge patch. */
function overlay<T>(base: T, over: unknown): T {
  return merged(base, over) as T;
}

function merged(base: unknown, over: unknown): unknown {
  if (over === undefined) return base;
  if (typeof over !== 'object' || over === null || Array.isArray(over)) return over;
  const result = new Map<string, unknown>(
    typeof base === 'object' && base !== null ? Object.entries(base) : [],
  );
  for (const [key, part] of Object.entries(over)) {
    if (part === null) result.delete(key);
    else result.set(key, merged(result.get(key), part));
  }
  return Object.fromEntries(result);
}

function observationOf(scenario: Scenario): { observed: Observation; names: Map<string, string> } {
  const set = makeSet(scenario.set);
  const revisions = new Map<string, Stored<ControllerRevision>>();
  for (const [name, image] of Object.entries(scenario.history ?? {})) {
    const older =
      typeof image === 'string'
        ? makeSet({ ...scenario.set, image })
        : overlay(set, { spec: { template: image } });
    revisions.set(name, revisionFor(older, revisions.size + 1));
  }
  const newest = revisionFor(set, revisions.size + 1);
  if (
    scenario.newExists !== false &&
    ![...revisions.values()].some((known) => known.metadata.name === newest.metadata.name)
  ) {
    revisions.set('new', newest);
  }
  const names = new Map([
    [newest.metadata.name, 'new'],
    ...[...revisions].map(([name, revision]): [string, string] => [revision.metadata.name, name]),
  ]);
  if (scenario.current) {
    set.status = {
      replicas: 0,
      ...set.status,
      currentRevision: revisions.get(scenario.current)?.metadata.name ?? '',
    };
  }
  const build = ({ with: over, revision = 'new', readySecondsAgo, ...rest }: ScenarioPod): Stored<Pod> => {
    const options: PodOptions = { ...rest, revision: revisions.get(revision) ?? newest };
    if (readySecondsAgo !== undefined) options.readySince = START - readySecondsAgo * 1000;
    return overlay(makePod(set, options), over);
  };
  const pods = (scenario.pods ?? []).map(build);
  const strangers = (scenario.strangers ?? []).map(build);
  const ordinals = scenario.claimsOf ?? pods.map((pod) => parentOf(pod.metadata.name)?.ordinal ?? 0);
  const claims: Stored<PersistentVolumeClaim>[] = ordinals
    .flatMap((ordinal) => makeClaims(set, ordinal))
    .map((claim) => overlay(claim, scenario.claimsWith?.[claim.metadata.name]));
  const observed: Observation = {
    set,
    pods,
    strangers,
    claims,
    expandableClasses: new Set(scenario.expandableClasses),
    revisions: [...revisions.values()],
    now: START,
  };
  return { observed: deepFreeze(observed), names };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}

function rendered(planned: Plan, names: Map<string, string>, whole: boolean): unknown {
  const short = (name: string | undefined): string => names.get(name ?? '') ?? `${name}`;
  const claimText = ({ create, update, conflicting }: ClaimWork): string[] => [
    ...create.map(({ metadata: { annotations, name } }) => {
      const node = annotations?.['volume.kubernetes.io/selected-node'];
      return `create claim ${name}${node ? ` on ${node}` : ''}`;
    }),
    ...conflicting.map((name) => `warn of claim ${name}`),
    ...update.map(
      ({ metadata }) =>
        `give claim ${metadata.name} to ${metadata.ownerReferences?.map(({ kind, name }) => `${kind} ${name}`).join(', ') || 'nobody'}`,
    ),
  ];
  const actionText = (action: Action): string[] => {
    switch (action.type) {
      case 'createRevision':
        return [
          `create revision ${short(action.revision.metadata.name)} as number ${action.revision.revision}`,
        ];
      case 'renumberRevision':
        return [`give revision ${short(action.revision.metadata.name)} the number ${action.number}`];
      case 'deleteRevision':
        return [`delete revision ${short(action.revision.metadata.name)}`];
      case 'createPod':
        return [
          ...claimText(action.claims),
          `create pod ${action.pod.metadata.name} at ${short(action.pod.metadata.labels?.['controller-revision-hash'])}`,
        ];
      case 'deletePod':
        return [`delete pod ${action.pod.metadata.name} (${action.why})`];
      case 'updateInPlace':
        return [
          `update pod ${action.pod.metadata.name} in place to ${short(action.changed.metadata.labels?.['controller-revision-hash'])}, restarting ${action.restarted.join(', ') || 'nothing'}`,
        ];
      case 'updatePod':
        return [
          ...claimText(action.claims),
          ...(action.changed ? [`update pod ${action.pod.metadata.name}`] : []),
        ];
      case 'fixClaims':
        return claimText(action.claims);
      case 'updateClaim':
        return [
          `update claim ${action.claim.metadata.name}${action.storage ? `, which grows to ${action.storage}` : ''}`,
        ];
    }
  };
  const objects = planned.phases.flatMap(({ actions }) =>
    actions.flatMap((action): object[] => {
      if (action.type === 'createRevision') return [action.revision];
      if (action.type === 'createPod') return [...action.claims.create, action.pod];
      if (action.type === 'updateInPlace') return [action.changed];
      if (action.type === 'updateClaim') return [action.claim];
      return action.type === 'updatePod' && action.changed ? [action.changed] : [];
    }),
  );
  const { conditions, currentRevision, updateRevision, ...counts } = planned.status;
  return {
    actions: Object.fromEntries(
      planned.phases.map(({ name, actions }) => [name, actions.flatMap(actionText)]),
    ),
    waiting: planned.waiting ? sentenceOf(planned.waiting) : null,
    ...(planned.wakeAt === undefined ? {} : { wakeInSeconds: (planned.wakeAt - START) / 1000 }),
    status: { ...counts, currentRevision: short(currentRevision), updateRevision: short(updateRevision) },
    conditions: Object.fromEntries(
      (conditions ?? []).map(({ type, status, reason, message }) => [
        type,
        `${status} ${reason}: ${message}`,
      ]),
    ),
    ...(whole ? { objects: JSON.parse(JSON.stringify(objects)) } : {}),
  };
}

/** The source folder: the tests run from the build's, where the scenarios are not. */
function scenarioFolder(): string {
  let root = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(root, 'package.json'))) root = dirname(root);
  return join(root, 'src/controllers/statefulset/scenarios');
}

const folder = scenarioFolder();
for (const file of readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .sort()) {
  const path = join(folder, file);
  const scenario: Scenario = parse(readFileSync(path, 'utf8'));
  test(`${file.slice(0, -5)}: ${scenario.holds}`, () => {
    const { observed, names } = observationOf(scenario);
    const actual = rendered(plan(observed), names, scenario.whole === true);
    if (process.env.UPDATE_SCENARIOS) {
      writeFileSync(path, stringify({ ...scenario, expect: actual }, { lineWidth: 110 }));
      return;
    }
    assert.deepEqual(actual, scenario.expect);
  });
}

test('a stored object of the fixtures has what the API gives', () => {
  assert.ok(stored({ metadata: { name: 'a' } }).metadata.uid);
});
