// Claims that exist and are smaller than their template says, or lack its labels: brought in line in the order of
// their ordinals, while pods use them. Upstream lets claim templates not change at all; what of them may change here
// is admission's (api/resources/stateful-sets/claim-templates.ts), and who makes volumes larger is storage/'s.
import type { PersistentVolumeClaim } from '../../api/generated/types.ts';
import { controllerOf, isTerminating, type Stored } from '../../api/objects.ts';
import { compareQuantities } from '../../api/quantity.ts';
import type { Action, Blocked } from './actions.ts';
import { claimTemplates } from './identity.ts';
import type { Replica, Scene } from './scene.ts';
import { untilExpanded } from './waiting.ts';

/** How far the claims of a set are. */
export interface ClaimGrowth {
  actions: Action[];
  /** By the claim whose volume has yet to grow: no later one is touched before, and no pod is updated. */
  blocked?: Blocked;
  /** How many claims there are, and how many of them have the size of their template. */
  claims: number;
  grown: number;
  /** The name of the first claim that can never grow, and of its class. */
  fixed?: { claim: string; storageClass: string };
}

/** What is to be done for the claims of the wanted ordinals. Sets of Parallel pods have all of them grown at once. */
export function growClaims(scene: Scene): ClaimGrowth {
  const growth: ClaimGrowth = { actions: [], claims: 0, grown: 0 };
  const templates = claimTemplates(scene.set);
  if (templates.length === 0) return growth;
  let isItsTurn = true;
  for (const replica of scene.replicas) {
    templates.forEach((template, index) => {
      const claim = scene.claims.get(replica.claimNames[index] ?? '');
      if (claim && !isTerminating(claim) && !isForeign(claim, replica)) {
        growClaim(scene, replica, template, claim, growth, isItsTurn);
      }
    });
    // The claims of one ordinal grow together, those of the next after them.
    if (scene.monotonic) isItsTurn = growth.blocked === undefined;
  }
  return growth;
}

function growClaim(
  scene: Scene,
  replica: Replica,
  template: PersistentVolumeClaim,
  claim: Stored<PersistentVolumeClaim>,
  growth: ClaimGrowth,
  isItsTurn: boolean,
): void {
  growth.claims++;
  const labelled = withMetadata(scene, claim, template);
  const wanted = storageOf(template.spec);
  const isGrown = isEnough(claim.status?.capacity?.storage ?? storageOf(claim.spec), wanted);
  const isAsked = isEnough(storageOf(claim.spec), wanted);
  const storageClass = claim.spec.storageClassName ?? '';
  if (isGrown && isAsked) {
    growth.grown++;
  } else if (!isAsked && !scene.expandableClasses.has(storageClass)) {
    growth.fixed ??= { claim: claim.metadata.name, storageClass };
  } else if (isAsked || claim.status?.phase === 'Bound') {
    growth.blocked ??= untilExpanded(claim);
    if (!isAsked && isItsTurn) {
      const larger = withStorage(labelled ?? claim, wanted);
      growth.actions.push({ type: 'updateClaim', podName: replica.name, claim: larger, storage: wanted });
      return;
    }
  }
  if (labelled) growth.actions.push({ type: 'updateClaim', podName: replica.name, claim: labelled });
}

const storageOf = (spec: PersistentVolumeClaim['spec']): string => spec.resources?.requests?.storage ?? '0';

/** The same text is the same amount: most claims are compared without being read. */
function isEnough(have: string, wanted: string): boolean {
  return have === wanted || compareQuantities(have, wanted) >= 0;
}

/** Whether somebody controls the claim who is neither a set nor the pod of its ordinal. */
function isForeign(claim: Stored<PersistentVolumeClaim>, replica: Replica): boolean {
  const owner = controllerOf(claim);
  if (!owner || owner.kind === 'StatefulSet') return false;
  return !(owner.kind === 'Pod' && owner.name === replica.name);
}

function withStorage(claim: Stored<PersistentVolumeClaim>, storage: string): Stored<PersistentVolumeClaim> {
  const { resources } = claim.spec;
  const requests = { ...resources?.requests, storage };
  return { ...claim, spec: { ...claim.spec, resources: { ...resources, requests } } };
}

/** The claim with the labels and annotations of its template; undefined if it has them. Others stay. */
function withMetadata(
  { set }: Scene,
  claim: Stored<PersistentVolumeClaim>,
  template: PersistentVolumeClaim,
): Stored<PersistentVolumeClaim> | undefined {
  const { labels, annotations } = template.metadata;
  if (!labels && !annotations) return undefined;
  const has = (have: Record<string, string> | undefined, key: string, value: string): boolean =>
    have?.[key] === value;
  // As when a claim is made: the selector's labels are stronger.
  const wanted = Object.entries(labels ?? {}).filter(
    ([key]) => !(key in (set.spec.selector.matchLabels ?? {})),
  );
  const inLine =
    wanted.every(([key, value]) => has(claim.metadata.labels, key, value)) &&
    Object.entries(annotations ?? {}).every(([key, value]) => has(claim.metadata.annotations, key, value));
  if (inLine) return undefined;
  const metadata = {
    ...claim.metadata,
    labels: { ...claim.metadata.labels, ...Object.fromEntries(wanted) },
    annotations: { ...claim.metadata.annotations, ...annotations },
  };
  return { ...claim, metadata };
}
