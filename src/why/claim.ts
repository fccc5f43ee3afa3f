// Why a claim is not Bound, or not as large as it is to be: further down than the claim itself says, to its class, the
// pod that has to come first, its provisioner's last word, or the node that its volume lies on.

import { LOCAL_PROVISIONER } from '../api/between/local-volumes.ts';
import {
  classNameOf,
  NO_PROVISIONER,
  SELECTED_NODE,
  waitsForFirstConsumer,
} from '../api/between/volume-binding.ts';
import { type Cause, partyOf, type Waiting } from '../api/between/waiting.ts';
import type { PersistentVolumeClaim } from '../api/generated/types.ts';
import { isTerminating, type Stored } from '../api/objects.ts';
import { compareQuantities } from '../api/quantity.ts';
import { whyNotBound, whyNotExpanded } from '../api/why/claim.ts';
import { planProvision } from '../storage/provision-plan.ts';
import type { Evidence } from './evidence.ts';
import { whyNodeIsLost } from './node.ts';
import { homesOf } from './nodes.ts';

/** Undefined if nothing is wrong with the claim. */
export function explainClaim(
  claim: Stored<PersistentVolumeClaim>,
  evidence: Evidence,
): Cause | Waiting | undefined {
  if (isTerminating(claim)) return whyNotGone(claim, evidence);
  const because = whyNotBound(claim, (name) => evidence.storageClass(name) !== undefined);
  if (because)
    return because.reason === 'ClaimPending'
      ? whyPending(claim, evidence, because)
      : detailed(claim, evidence, because);
  if (isGrowing(claim)) return whyNotExpanded(claim);
  return undefined;
}

function isGrowing({ spec, status }: PersistentVolumeClaim): boolean {
  const wanted = spec.resources?.requests?.storage;
  const has = status?.capacity?.storage;
  return wanted !== undefined && has !== undefined && compareQuantities(wanted, has) > 0;
}

function whyNotGone(claim: Stored<PersistentVolumeClaim>, evidence: Evidence): Cause | Waiting {
  const [user] = evidence.usersOf(claim.metadata.name);
  if (user) {
    const message = 'a claim goes only after the pods that use it';
    return {
      who: partyOf('PersistentVolumeClaim', claim),
      for: partyOf('Pod', user),
      tobe: 'gone',
      because: { reason: 'ClaimInUse', message, passing: false },
    };
  }
  const held = claim.metadata.finalizers ?? [];
  const message =
    held.length > 0 ? `it is being deleted, held by finalizer ${held.join(', ')}` : 'it is being deleted';
  return { reason: 'ClaimTerminating', message, passing: true };
}

function detailed(claim: Stored<PersistentVolumeClaim>, { objects }: Evidence, because: Cause): Cause {
  if (because.reason !== 'ClassMissing') return because;
  const names = objects.classes.map(({ metadata }) => metadata.name);
  const details =
    names.length > 0
      ? [`there ${names.length === 1 ? 'is' : 'are'}: ${names.join(', ')}`]
      : ['there is no storage class at all'];
  // The class of a claim cannot be changed.
  details.push(
    `create the class, or delete the claim and ask for another: kubectl delete pvc ${claim.metadata.name}`,
  );
  return { ...because, details };
}

function whyPending(
  claim: Stored<PersistentVolumeClaim>,
  evidence: Evidence,
  otherwise: Cause,
): Cause | Waiting {
  const failed = evidence.warning('PersistentVolumeClaim', claim, ['ProvisioningFailed']);
  if (failed) return { reason: 'ProvisioningFailed', message: failed.message ?? '', passing: false };
  const className = classNameOf(claim);
  const selected = claim.metadata.annotations?.[SELECTED_NODE];
  const lost = selected === undefined ? undefined : whyNodeIsLost(selected, evidence);
  if (lost && selected !== undefined) {
    return {
      who: partyOf('PersistentVolumeClaim', claim),
      for: { kind: 'Node', name: selected },
      tobe: 'Ready',
      because: lost,
    };
  }
  const unmade = whyNobodyProvisions(claim, evidence);
  if (unmade) return unmade;
  const refused = whyNotProvisioned(claim, evidence);
  if (refused) return refused;
  if (!waitsForFirstConsumer(evidence.storageClass(className))) return otherwise;
  if (selected !== undefined) return otherwise;
  const [user] = evidence.usersOf(claim.metadata.name);
  const why = `class ${className} makes a volume where the first pod that uses it is placed`;
  if (!user)
    return { reason: 'WaitForFirstConsumer', message: `${why}, and no pod uses it yet`, passing: false };
  return {
    who: partyOf('PersistentVolumeClaim', claim),
    for: partyOf('Pod', user),
    tobe: 'placed',
    because: { reason: 'WaitForFirstConsumer', message: why, passing: true },
  };
}

/** What our provisioner has against the claim, if it has: asked again, since its event may be gone. */
function whyNotProvisioned(
  claim: Stored<PersistentVolumeClaim>,
  { node, objects, storageClass }: Evidence,
): Cause | undefined {
  // Who may not see nodes sees none.
  if (objects.nodes.length === 0) return undefined;
  const plan = planProvision({
    claim,
    storageClass: storageClass(classNameOf(claim)),
    selectedNode: node(claim.metadata.annotations?.[SELECTED_NODE] ?? ''),
    nodes: objects.nodes.map((each) => ({ node: each, volumes: 0 })),
  });
  return plan.type === 'refuse' ? plan.because : undefined;
}

/** Why no volume will ever be made for a claim that waits for one; undefined if somebody makes those of its class. */
export function whyNobodyProvisions(
  claim: Stored<PersistentVolumeClaim>,
  evidence: Evidence,
): Cause | undefined {
  if (claim.spec.volumeName) return undefined;
  const className = classNameOf(claim);
  const provisioner = evidence.storageClass(className)?.provisioner;
  if (provisioner === undefined || provisioner === LOCAL_PROVISIONER) return undefined;
  const made = evidence.objects.classes.filter((each) => each.provisioner === LOCAL_PROVISIONER);
  const names = made.map(({ metadata }) => metadata.name).join(', ');
  const instead =
    made.length > 0
      ? `volumes are made here for ${made.length === 1 ? 'class' : 'the classes'} ${names}`
      : 'there is no class whose volumes are made here';
  return {
    reason: 'NoProvisioner',
    message:
      provisioner === NO_PROVISIONER
        ? `volumes of its class ${className} are made by hand, and none is free that suits it`
        : `volumes of its class ${className} are made by ${provisioner}, of which nothing is heard here`,
    passing: false,
    details: [
      instead,
      `create a volume of class ${className}, or delete the claim and ask for another class: kubectl delete pvc ${claim.metadata.name}`,
    ],
  };
}

/** The claim whose volume lies on a node that is gone or silent, of those named; and why that node is. */
export function claimOnLostNode(
  names: readonly string[],
  evidence: Evidence,
): { claim: Stored<PersistentVolumeClaim>; node: string; because: Cause } | undefined {
  for (const name of names) {
    const claim = evidence.claim(name);
    if (!claim?.spec.volumeName) continue;
    for (const node of homesOf(claim.spec.volumeName, evidence)) {
      const because = whyNodeIsLost(node, evidence);
      if (because) return { claim, node, because };
    }
  }
  return undefined;
}
