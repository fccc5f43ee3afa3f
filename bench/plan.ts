// The decision about one set, by itself: how long `plan` takes for a set at rest and for one whose template has just
// changed, and whether that grows with the number of its pods and no faster.
import type {
  ControllerRevision,
  PersistentVolumeClaim,
  Pod,
  StatefulSet,
} from '../src/api/generated/types.ts';
import type { KubeObject, Stored } from '../src/api/objects.ts';
import { deepFreeze } from '../src/base/deep-freeze.ts';
import type { Observation } from '../src/controllers/statefulset/observation.ts';
import { plan } from '../src/controllers/statefulset/plan.ts';
import { machine, median } from './measure.ts';

const SIZES = [1_000, 5_000, 10_000, 20_000];
const WARM_UP = 20;
const SAMPLES = 51;
const NOW = Date.parse('2026-01-01T00:00:00Z');
const CREATED = '2025-12-31T00:00:00Z';

let version = 0;

/** An object as the API would give it back. */
function stored<T extends KubeObject>(object: T): Stored<T> {
  const { name = '' } = object.metadata;
  const metadata = { ...object.metadata, name, uid: `uid-${name}`, creationTimestamp: CREATED };
  return deepFreeze({ ...object, metadata: { ...metadata, resourceVersion: `${++version}` } });
}

function setOf(replicas: number, image: string): Stored<StatefulSet> {
  return stored<StatefulSet>({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { namespace: 'default', name: 'web', generation: 1 },
    spec: {
      serviceName: 'web',
      replicas,
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      revisionHistoryLimit: 10,
      selector: { matchLabels: { app: 'web' } },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image }] } },
    },
  });
}

function ready(pod: Pod): Stored<Pod> {
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: CREATED }];
  return stored<Pod>({ ...pod, status: { phase: 'Running', conditions } });
}

function bound(claim: PersistentVolumeClaim): Stored<PersistentVolumeClaim> {
  return stored<PersistentVolumeClaim>({
    ...claim,
    status: { phase: 'Bound', capacity: { storage: '1Gi' } },
  });
}

/** The set with all its pods: what its first plan asks for, done. */
function atRest(replicas: number): Observation {
  const set = setOf(replicas, 'a:1');
  const empty = { pods: [], strangers: [], claims: [], expandableClasses: new Set<string>(), revisions: [] };
  const first = plan({ set, ...empty, now: NOW });
  const pods: Stored<Pod>[] = [];
  const claims: Stored<PersistentVolumeClaim>[] = [];
  const revisions: Stored<ControllerRevision>[] = [];
  for (const action of first.phases.flatMap((phase) => phase.actions)) {
    if (action.type === 'createPod') {
      pods.push(ready(action.pod));
      claims.push(...action.claims.create.map(bound));
    }
    if (action.type === 'createRevision') revisions.push(stored(action.revision));
  }
  if (pods.length !== replicas) throw new Error(`${pods.length} of ${replicas} pods were planned`);
  return { set: { ...set, status: first.status }, ...empty, pods, claims, revisions, now: NOW };
}

function time(observed: Observation): number {
  for (let i = 0; i < WARM_UP; i++) plan(observed);
  const samples = Array.from({ length: SAMPLES }, () => {
    const startedMs = performance.now();
    plan(observed);
    return performance.now() - startedMs;
  });
  return median(samples);
}

console.log(machine());
for (const size of SIZES) {
  const rest = atRest(size);
  const settled = { ...rest, set: { ...rest.set, status: plan(rest).status } };
  const changed = { ...settled, set: { ...settled.set, spec: setOf(size, 'a:2').spec } };
  const line = [settled, changed].map((observed) => `${time(observed).toFixed(2)} ms`);
  console.log(
    `plan, ${size} pods: ${line[0]} at rest, ${line[1]} with a new template (medians of ${SAMPLES})`,
  );
}
