// A workload's history of templates as ControllerRevisions: which one is current, which one the update goes to, which
// have to be made, renumbered or forgotten. `kubectl rollout history` and `undo` read what is written here; the writing is
// write-revision.ts's. Follows getStatefulSetRevisions, newRevision and truncateHistory upstream, and
// pkg/controller/history.
import type { ControllerRevision, PodTemplateSpec } from '../api/generated/types.ts';
import { type KubeObject, keyOf, type Stored } from '../api/objects.ts';
import type { ResourceDefinition } from '../api/resource.ts';
import { present } from '../base/present.ts';
import { isStruct } from '../base/struct.ts';
import { controllerReference } from './ownership.ts';
import { canonicalJson, revisionHash } from './revision-hash.ts';

const REVISION_HASH_LABEL = 'controller.kubernetes.io/hash';
/** So that name and hash stay a DNS subdomain. */
const MAX_PREFIX = 223;

type Kind = Pick<ResourceDefinition, 'group' | 'version' | 'kind'>;

/** What has a history of templates. */
interface Workload extends KubeObject {
  spec: { template: PodTemplateSpec; revisionHistoryLimit?: number };
  status?: { currentRevision?: string; collisionCount?: number };
}

/** What can be done to a history; each is one write. */
export type RevisionAction =
  | { type: 'createRevision'; revision: ControllerRevision }
  | { type: 'renumberRevision'; revision: Stored<ControllerRevision>; number: number }
  | { type: 'deleteRevision'; revision: Stored<ControllerRevision> };

/** A revision that pods can be made from. */
export interface Revision {
  name: string;
  template: PodTemplateSpec;
}

export interface Revisions {
  current: Revision;
  update: Revision;
  collisionCount: number;
  /** All that are there, the newest last. */
  history: readonly Stored<ControllerRevision>[];
  /** What has to happen before a pod may carry the update revision's name. */
  actions: RevisionAction[];
}

/** The content of a revision: a strategic merge patch that puts the template back (`getPatch`). */
function contentOf({ spec }: Workload): { spec: { template: object } } {
  return { spec: { template: { ...spec.template, $patch: 'replace' } } };
}

/** The template that a revision holds. Throws if the revision was not written by the controller of a workload. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const data = revision.data;
  if (isStruct(data) && isStruct(data.spec) && isStruct(data.spec.template)) {
    const { $patch: _replace, ...template } = data.spec.template;
    return template;
  }
  throw new Error(
    `ControllerRevision ${keyOf(revision)} holds no spec.template; delete it so that it is made again`,
  );
}

// Objects are frozen and shared, and a pass over a quiet workload must not write the same JSON again and again.
const canonicalTexts = new WeakMap<object, string>();
function canonicalContent(key: object, content: unknown): string {
  let text = canonicalTexts.get(key);
  if (text === undefined) {
    text = canonicalJson(content);
    canonicalTexts.set(key, text);
  }
  return text;
}
const textOf = (owner: Workload): string => canonicalContent(owner.spec.template, contentOf(owner));
const textOfRevision = (revision: ControllerRevision): string =>
  canonicalContent(revision, revision.data ?? null);

/** Whether two revisions hold the same content. */
export function sameContent(a: ControllerRevision, b: ControllerRevision): boolean {
  return textOfRevision(a) === textOfRevision(b);
}

/** Lowest number first; then the older one, then by name (`history.SortControllerRevisions`). */
export function sortRevisions<T extends ControllerRevision>(revisions: readonly T[]): T[] {
  return [...revisions].sort(
    (a, b) =>
      a.revision - b.revision ||
      (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '') ||
      (a.metadata.name ?? '').localeCompare(b.metadata.name ?? ''),
  );
}

function newRevision(
  resource: Kind,
  owner: Stored<Workload>,
  sorted: readonly Stored<ControllerRevision>[],
  number: number,
): { revision: ControllerRevision; name: string; collisionCount: number } {
  const text = textOf(owner);
  let collisionCount = owner.status?.collisionCount ?? 0;
  const nameFor = (hash: string): string => `${owner.metadata.name.slice(0, MAX_PREFIX)}-${hash}`;
  let hash = revisionHash(text, collisionCount);
  // Every name that is taken by another content counts as a collision; there are only so many revisions.
  while (sorted.some((revision) => revision.metadata.name === nameFor(hash))) {
    collisionCount++;
    hash = revisionHash(text, collisionCount);
  }
  const name = nameFor(hash);
  const revision: ControllerRevision = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: present({
      name,
      namespace: owner.metadata.namespace,
      labels: { ...owner.spec.template.metadata?.labels, [REVISION_HASH_LABEL]: hash },
      annotations: owner.metadata.annotations && { ...owner.metadata.annotations },
      ownerReferences: [controllerReference(resource, owner)],
    }),
    data: contentOf(owner),
    revision: number,
  };
  return { revision, name, collisionCount };
}

/**
 * The workload's current and update revision, and how to bring the history there.
 * @param resource the workload's.
 * @param sorted the revisions that it controls, as `sortRevisions` gives them.
 */
export function revisionsOf(
  resource: Kind,
  owner: Stored<Workload>,
  sorted: readonly Stored<ControllerRevision>[],
): Revisions {
  const text = textOf(owner);
  const newest = sorted.at(-1);
  const number = (newest?.revision ?? 0) + 1;
  const equal = sorted.findLast((revision) => textOfRevision(revision) === text);
  const actions: RevisionAction[] = [];
  let collisionCount = owner.status?.collisionCount ?? 0;
  let update: Revision;
  if (equal) {
    update = { name: equal.metadata.name, template: templateOf(equal) };
    // Going back to an older content makes its revision the newest again.
    if (equal !== newest) actions.push({ type: 'renumberRevision', revision: equal, number });
  } else {
    const made = newRevision(resource, owner, sorted, number);
    collisionCount = made.collisionCount;
    update = { name: made.name, template: owner.spec.template };
    actions.push({ type: 'createRevision', revision: made.revision });
  }
  const current = sorted.find((revision) => revision.metadata.name === owner.status?.currentRevision);
  return {
    current: current ? { name: current.metadata.name, template: templateOf(current) } : update,
    update,
    collisionCount,
    history: sorted,
    actions,
  };
}

/**
 * Forgets the oldest revisions beyond revisionHistoryLimit; those that a pod or the status names are kept.
 * @param named the names of the revisions that the pods were made from.
 */
export function trimHistory(
  owner: Workload,
  sorted: readonly Stored<ControllerRevision>[],
  named: () => Iterable<string>,
  { current, update }: Revisions,
): RevisionAction[] {
  const limit = owner.spec.revisionHistoryLimit ?? 10;
  // Whatever the pods name, there is nothing to forget.
  if (sorted.length <= limit) return [];
  const live = new Set([current.name, update.name, ...named()]);
  const history = sorted.filter((revision) => !live.has(revision.metadata.name));
  return history
    .slice(0, Math.max(0, history.length - limit))
    .map((revision) => ({ type: 'deleteRevision', revision }));
}
