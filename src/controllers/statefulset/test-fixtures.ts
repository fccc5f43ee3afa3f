// What the tests of this room share: a set, its pods in a state said in one word, its claims and revisions.

import type {
  ControllerRevision,
  PersistentVolumeClaim,
  Pod,
  PodStatus,
  StatefulSet,
  StatefulSetSpec,
  StatefulSetStatus,
} from '../../api/generated/types.ts';
import type { KubeObject, Stored } from '../../api/objects.ts';
import { timestamp } from '../../base/clock.ts';
import { templateOf } from '../revisions.ts';
import { claimWork } from './claims.ts';
import { parentOf, placeOf } from './identity.ts';
import { newPod } from './new-pod.ts';
import type { Observation } from './observation.ts';
import { plan } from './plan.ts';

export const START = Date.UTC(2026, 0, 1);
export type PodState =
  | 'Pending'
  | 'Running'
  | 'Ready'
  | 'Failed'
  | 'Succeeded'
  | 'Terminating'
  | 'CrashLoop'
  | 'Unschedulable';

let uids = 0;

/** Any object as the API would have stored it. */
export function stored<T extends KubeObject>(object: T, more: Partial<T['metadata']> = {}): Stored<T> {
  const name = object.metadata.name ?? 'unnamed';
  const metadata = {
    uid: `uid-${name}-${uids++}`,
    resourceVersion: '1',
    creationTimestamp: timestamp(START),
    ...object.metadata,
    ...more,
    name,
  };
  return { ...object, metadata };
}

export interface SetOptions {
  spec?: Partial<StatefulSetSpec>;
  status?: Partial<StatefulSetStatus>;
  metadata?: StatefulSet['metadata'];
  /** The image of the template. */
  image?: string;
  /** How many claim templates: `www`, `log`. */
  claims?: number;
}

export function makeSet({
  spec,
  status,
  metadata,
  image = 'nginx:2',
  claims = 1,
}: SetOptions = {}): Stored<StatefulSet> {
  const set: StatefulSet = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'web', namespace: 'default', uid: 'uid-web', generation: 1, ...metadata },
    spec: {
      serviceName: 'nginx',
      replicas: 3,
      selector: { matchLabels: { app: 'nginx' } },
      template: {
        metadata: { labels: { app: 'nginx' } },
        spec: {
          containers: [
            {
              name: 'nginx',
              image,
              readinessProbe: { httpGet: { port: 80, path: '/ready' } },
              volumeMounts: ['www', 'log'].slice(0, claims).map((name) => ({ name, mountPath: `/${name}` })),
            },
          ],
        },
      },
      volumeClaimTemplates: ['www', 'log'].slice(0, claims).map((name) => ({
        metadata: { name },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '200Mi' } } },
      })),
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: 1 } },
      revisionHistoryLimit: 10,
      ...spec,
    },
  };
  if (status) set.status = { replicas: 0, ...status };
  return stored(set);
}

/** The revision that the controller would make of a set's template. */
export function revisionFor(set: Stored<StatefulSet>, number: number): Stored<ControllerRevision> {
  const { deletionTimestamp: _any, ...metadata } = set.metadata;
  const alive = { ...set, metadata };
  const observed: Observation = {
    set: alive,
    pods: [],
    strangers: [],
    claims: [],
    expandableClasses: new Set(),
    revisions: [],
    now: START,
  };
  const action = plan(observed).phases[0]?.actions[0];
  if (action?.type !== 'createRevision') throw new Error('a first pass makes a revision');
  return stored(
    { ...action.revision, revision: number },
    { creationTimestamp: timestamp(START + number * 1000) },
  );
}

/**
 * The status of a pod in a state that one word says.
 * @param since when it came into the state.
 * @param startTime when its node began with it; earlier for a pod that has been in another state before.
 */
export function podStatus(state: PodState, since: string, startTime = since): PodStatus {
  const begun = state !== 'Pending' && state !== 'Unschedulable';
  return { ...statusIn(state, since), ...(begun ? { startTime } : {}) };
}

function statusIn(state: PodState, readySince: string): PodStatus {
  const containers = (ready: boolean, more: object = { running: { startedAt: readySince } }): PodStatus => ({
    containerStatuses: [
      {
        name: 'nginx',
        image: 'nginx',
        imageID: 'id',
        containerID: 'containerd://1',
        ready,
        restartCount: 0,
        started: ready,
        state: more,
      },
    ],
  });
  const unready = (reason: string, message: string) => [
    { type: 'Ready', status: 'False', reason, message, lastTransitionTime: readySince },
  ];
  switch (state) {
    case 'Pending':
      return { phase: 'Pending' };
    case 'Unschedulable':
      return {
        phase: 'Pending',
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: '0/1 nodes are available: 1 Insufficient cpu.',
          },
        ],
      };
    case 'Running':
      return {
        phase: 'Running',
        conditions: unready('ContainersNotReady', 'containers with unready status: [nginx]'),
        ...containers(false),
      };
    case 'CrashLoop':
      return {
        phase: 'Running',
        conditions: unready('ContainersNotReady', 'containers with unready status: [nginx]'),
        ...containers(false, {
          waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s restarting failed container=nginx' },
        }),
      };
    case 'Ready':
    case 'Terminating':
      return {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: readySince }],
        ...containers(true),
      };
    default:
      return { phase: state };
  }
}

export interface PodOptions {
  name: string;
  state?: PodState;
  revision?: Stored<ControllerRevision>;
  /** ms since the epoch. */
  readySince?: number;
}

/** A pod of the set as its controller made it. */
export function makePod(
  set: Stored<StatefulSet>,
  { name, state = 'Ready', revision = revisionFor(set, 1), readySince = START - 3_600_000 }: PodOptions,
): Stored<Pod> {
  const ordinal = parentOf(name)?.ordinal;
  if (ordinal === undefined) throw new Error(`${name} has no ordinal`);
  const pod = newPod(set, templateOf(revision), revision.metadata.name, ordinal);
  pod.status = podStatus(state, timestamp(readySince));
  if (state !== 'Pending' && state !== 'Unschedulable') pod.spec.nodeName = 'node-1';
  return stored(pod, {
    uid: `uid-${name}`,
    ...(state === 'Terminating'
      ? { deletionTimestamp: timestamp(START + 30_000), deletionGracePeriodSeconds: 30 }
      : {}),
  });
}

/** The claims of an ordinal as the controller would make them, bound. */
export function makeClaims(set: Stored<StatefulSet>, ordinal: number): Stored<PersistentVolumeClaim>[] {
  return claimWork(set, new Map(), placeOf(set, ordinal), true).create.map((claim) =>
    stored({ ...claim, status: { phase: 'Bound' } }, { uid: `uid-${claim.metadata.name}` }),
  );
}
