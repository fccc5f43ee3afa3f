// What `stead status` shows of the sets: a value (for -o json) made from the API's objects and the DNS answers, and
// its drawing as a tree. Pure; where the objects and answers come from is the command's business.

import { sentenceOf } from '../api/between/waiting.ts';
import { conditionOf } from '../api/conditions.ts';
import type { PersistentVolumeClaim, Pod, StatefulSet } from '../api/generated/types.ts';
import { controllerOf, type Stored } from '../api/objects.ts';
import { whyNotReady } from '../api/why/pod.ts';

export interface ClaimView {
  name: string;
  phase: string;
  volume: string;
  capacity: string;
}

export interface PodView {
  name: string;
  phase: string;
  ready: boolean;
  ip: string;
  node: string;
  restarts: number;
  /** What it waits for, if it is not ready. */
  waits?: string;
  claims: ClaimView[];
  /** Its DNS name, if a headless Service governs its set, and what that answers. */
  dnsName?: string;
  dnsAnswer?: string[];
}

export interface SetView {
  namespace: string;
  name: string;
  ready: number;
  replicas: number;
  /** What the set as a whole waits for, if it does. */
  waits?: string;
  serviceName?: string;
  serviceAnswer?: string[];
  pods: PodView[];
}

export interface SetObjects {
  sets: readonly Stored<StatefulSet>[];
  pods: readonly Stored<Pod>[];
  claims: readonly Stored<PersistentVolumeClaim>[];
}

/** @param resolve the addresses that a name answers; empty if there is no such name. */
export async function viewSets(
  { sets, pods, claims }: SetObjects,
  domain: string,
  resolve: (name: string) => Promise<string[]>,
): Promise<SetView[]> {
  return Promise.all(
    sets.map(async (set) => {
      const { namespace = 'default', name } = set.metadata;
      const service = set.spec.serviceName ? `${set.spec.serviceName}.${namespace}.svc.${domain}` : undefined;
      const claimNamed = (claim: string) =>
        claims.find(({ metadata }) => metadata.namespace === namespace && metadata.name === claim);
      const own = pods
        .filter((pod) => controllerOf(pod)?.uid === set.metadata.uid)
        .sort((a, b) => ordinalOf(a) - ordinalOf(b));
      const progressing = conditionOf(set, 'Progressing');
      const ready = set.status?.readyReplicas ?? 0;
      const replicas = set.spec.replicas ?? 1;
      return {
        namespace,
        name,
        ready,
        replicas,
        ...(ready < replicas && progressing?.message ? { waits: progressing.message } : {}),
        ...(service ? { serviceName: service, serviceAnswer: await resolve(service) } : {}),
        pods: await Promise.all(
          own.map(async (pod) => {
            const because = whyNotReady(pod, claimNamed);
            const dnsName = service ? `${pod.metadata.name}.${service}` : undefined;
            return {
              name: pod.metadata.name,
              phase: pod.metadata.deletionTimestamp ? 'Terminating' : (pod.status?.phase ?? 'Pending'),
              ready: because === undefined,
              ip: pod.status?.podIP ?? '',
              node: pod.spec.nodeName ?? '',
              restarts: (pod.status?.containerStatuses ?? []).reduce((sum, one) => sum + one.restartCount, 0),
              ...(because ? { waits: sentenceOf(because) } : {}),
              claims: claimViews(pod, claimNamed),
              ...(dnsName ? { dnsName, dnsAnswer: await resolve(dnsName) } : {}),
            };
          }),
        ),
      };
    }),
  );
}

const ordinalOf = (pod: Stored<Pod>): number => Number(/-(\d+)$/.exec(pod.metadata.name)?.[1] ?? 0);

function claimViews(
  pod: Stored<Pod>,
  claimNamed: (name: string) => Stored<PersistentVolumeClaim> | undefined,
): ClaimView[] {
  return (pod.spec.volumes ?? []).flatMap((volume) => {
    const name = volume.persistentVolumeClaim?.claimName;
    if (!name) return [];
    const claim = claimNamed(name);
    return {
      name,
      phase: claim?.status?.phase ?? 'Missing',
      volume: claim?.spec.volumeName ?? '',
      capacity: claim?.status?.capacity?.storage ?? '',
    };
  });
}

/** The tree, a line an element. */
export function drawSets(sets: readonly SetView[]): string[] {
  if (sets.length === 0) return ['no StatefulSets yet: apply one with `stead up -f FILE` or kubectl'];
  return sets.flatMap((set) => [
    `statefulset ${set.namespace}/${set.name}  ${set.ready}/${set.replicas} ready${set.waits ? `  ${set.waits}` : ''}`,
    ...branches([
      ...set.pods.map((pod) => ({ title: podTitle(pod), children: podDetails(pod) })),
      ...(set.serviceName
        ? [{ title: `${set.serviceName} → ${answer(set.serviceAnswer)}`, children: [] }]
        : []),
    ]),
  ]);
}

interface Branch {
  title: string;
  children: string[];
}

function branches(list: Branch[]): string[] {
  return list.flatMap(({ title, children }, index) => {
    const last = index === list.length - 1;
    return [
      `${last ? '└─' : '├─'} ${title}`,
      ...children.map(
        (line, child) => `${last ? '  ' : '│ '} ${child === children.length - 1 ? '└─' : '├─'} ${line}`,
      ),
    ];
  });
}

function podTitle(pod: PodView): string {
  const state = pod.ready ? 'Ready' : pod.phase;
  const restarts = pod.restarts > 0 ? `  ${pod.restarts} restarts` : '';
  return `pod ${pod.name}  ${state}  ${pod.ip || '-'}  on ${pod.node || '-'}${restarts}${pod.waits ? `  waits: ${pod.waits}` : ''}`;
}

function podDetails(pod: PodView): string[] {
  return [
    ...pod.claims.map((claim) =>
      `claim ${claim.name}  ${claim.phase}  ${claim.capacity}  ${claim.volume}`.trimEnd(),
    ),
    ...(pod.dnsName ? [`${pod.dnsName} → ${answer(pod.dnsAnswer)}`] : []),
  ];
}

const answer = (addresses: string[] | undefined): string => addresses?.join(', ') || 'no answer';
