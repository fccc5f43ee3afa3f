// Gathers one set's observation from the caches: its pods, the strangers in their places, its claims by name, its
// revisions. Looks things up by index, so that the cost is that of one set, whatever else there is.
import { orUndefined } from '../../api/errors.ts';
import type {
  ControllerRevision,
  PersistentVolumeClaim,
  Pod,
  StatefulSet,
  StorageClass,
} from '../../api/generated/types.ts';
import { controllerOf, type Stored } from '../../api/objects.ts';
import { controllerRevisions } from '../../api/resources/controller-revisions/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { statefulSets } from '../../api/resources/stateful-sets/definition.ts';
import { selectorOf } from '../../api/selectors.ts';
import type { Client } from '../../client/client.ts';
import type { Informer } from '../../client/informers.ts';
import { Ownership } from '../ownership.ts';
import { claimTemplates, parentOf, placeOf } from './identity.ts';
import type { Observation } from './observation.ts';
import { wantedOrdinals } from './ordinals.ts';

export interface Caches {
  sets: Informer<StatefulSet>;
  pods: Informer<Pod>;
  claims: Informer<PersistentVolumeClaim>;
  revisions: Informer<ControllerRevision>;
  classes: Informer<StorageClass>;
}

/** Pods by the set whose name they bear: `namespace/set`. */
const BY_PARENT = 'statefulset-parent';
/** Revisions by the UID of their controller, or by `orphans/namespace`. */
const BY_CONTROLLER = 'statefulset-revisions';

/** Adds the indexes that `gather` reads; before the informers run. */
export function prepareIndexes(caches: Caches): void {
  caches.pods.addIndex(BY_PARENT, ({ metadata: { namespace, name = '' } }) => {
    const parent = parentOf(name);
    return parent ? [`${namespace}/${parent.set}`] : [];
  });
  caches.revisions.addIndex(BY_CONTROLLER, (revision) => [
    controllerOf(revision)?.uid ?? `orphans/${revision.metadata.namespace}`,
  ]);
}

/** The names that a set could have to which a claim of this name belongs: `a-b-c-0` may be b-c's or c's. */
export function namesOfSets(claim: string): string[] {
  const parts = claim.split('-');
  if (parts.length < 3 || !/^[0-9]+$/.test(parts.at(-1) ?? '')) return [];
  return parts.slice(1, -1).map((_, index) => parts.slice(index + 1, -1).join('-'));
}

/** Observes the set; adopts and releases on the way. Throws what the API answers to that. */
export async function gather(
  client: Client,
  caches: Caches,
  set: Stored<StatefulSet>,
  now: number,
): Promise<Observation> {
  const { namespace, name, uid } = set.metadata;
  const candidates = caches.pods.byIndex(BY_PARENT, `${namespace}/${name}`);
  const history = [
    ...caches.revisions.byIndex(BY_CONTROLLER, uid),
    ...caches.revisions.byIndex(BY_CONTROLLER, `orphans/${namespace}`),
  ];
  const unseen = await currentRevision(client, set, history);
  const owned = await claimOwned(client, set, candidates, unseen ? [...history, unseen] : history);
  const classes = claimTemplates(set).length > 0 ? caches.classes.list() : [];
  const expandableClasses = new Set(
    classes.filter((each) => each.allowVolumeExpansion).map(({ metadata }) => metadata.name),
  );
  return { set, ...owned, claims: claimsOf(caches.claims, set, owned.pods), expandableClasses, now };
}

type Owned = Pick<Observation, 'revisions'> & Record<'pods' | 'strangers', Stored<Pod>[]>;

/**
 * Sorts what may be the set's into its own and others.
 * @param candidates pods that bear the set's name and an ordinal.
 * @param history revisions in the set's namespace that it controls, or nobody.
 */
async function claimOwned(
  client: Client,
  set: Stored<StatefulSet>,
  candidates: readonly Stored<Pod>[],
  history: readonly Stored<ControllerRevision>[],
): Promise<Owned> {
  const ownership = new Ownership(client, statefulSets, set, selectorOf(set.spec.selector));
  const own: Stored<Pod>[] = [];
  const strangers: Stored<Pod>[] = [];
  for (const pod of candidates) {
    const mine = await ownership.claim(pods, pod, 'released');
    if (mine) own.push(mine);
    else strangers.push(pod);
  }
  const revisions: Stored<ControllerRevision>[] = [];
  for (const revision of history) {
    const mine = await ownership.claim(controllerRevisions, revision, 'left');
    if (mine) revisions.push(mine);
  }
  return { pods: own, strangers, revisions };
}

/**
 * The revision that the status calls the current one, if the cache of revisions is behind that of sets and does not
 * show it: without it the update revision would count as the current one, and the partition would hold nothing.
 */
async function currentRevision(
  client: Client,
  { metadata: { namespace }, status }: Stored<StatefulSet>,
  history: readonly Stored<ControllerRevision>[],
): Promise<Stored<ControllerRevision> | undefined> {
  const name = status?.currentRevision;
  if (!name || history.some(({ metadata }) => metadata.name === name)) return undefined;
  return orUndefined(client.get(controllerRevisions, { namespace, name }));
}

function claimsOf(
  cache: Informer<PersistentVolumeClaim>,
  set: Stored<StatefulSet>,
  own: readonly Stored<Pod>[],
): Stored<PersistentVolumeClaim>[] {
  const templates = claimTemplates(set);
  if (templates.length === 0) return [];
  const ordinals = new Set(own.flatMap((pod) => parentOf(pod.metadata.name)?.ordinal ?? []));
  for (const ordinal of wantedOrdinals(set)) ordinals.add(ordinal);
  return [...ordinals].flatMap((ordinal) =>
    placeOf(set, ordinal).claimNames.flatMap((name) => cache.get(set.metadata.namespace, name) ?? []),
  );
}
