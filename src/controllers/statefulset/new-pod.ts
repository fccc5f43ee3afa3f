// What a new pod of a set is made of: a revision's template, and the identity and claims of its ordinal. Hostname and
// subdomain are given here and never changed afterwards. Follows `newVersionedStatefulSetPod` upstream.
import type { Pod, PodTemplateSpec, StatefulSet } from '../../api/generated/types.ts';
import { keyOf, type Stored } from '../../api/objects.ts';
import { statefulSets } from '../../api/resources/stateful-sets/definition.ts';
import { present } from '../../base/present.ts';
import { controllerReference } from '../ownership.ts';
import { claimVolumes } from './claims.ts';
import { identityLabels, podName, REVISION_LABEL } from './identity.ts';

/**
 * The pod of an ordinal as it is to be created: the revision's template with the set's identity and claims.
 * What the template holds is shared, not copied; whoever sends the pod must not change it.
 */
export function newPod(
  set: Stored<StatefulSet>,
  template: PodTemplateSpec,
  revision: string,
  ordinal: number,
): Pod {
  const { spec, metadata } = template;
  if (!spec) throw new Error(`StatefulSet ${keyOf(set)} has no spec.template.spec`);
  const name = podName(set, ordinal);
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: present({
      name,
      namespace: set.metadata.namespace,
      labels: { ...metadata?.labels, ...identityLabels(set, ordinal), [REVISION_LABEL]: revision },
      annotations: metadata?.annotations && { ...metadata.annotations },
      finalizers: metadata?.finalizers && [...metadata.finalizers],
      ownerReferences: [controllerReference(statefulSets, set)],
    }),
    spec: { ...spec, hostname: name },
  };
  if (set.spec.serviceName) pod.spec.subdomain = set.spec.serviceName;
  const volumes = claimVolumes(set, spec.volumes ?? [], ordinal);
  if (volumes.length > 0) pod.spec.volumes = volumes;
  return pod;
}

/** The pod with the volumes of its ordinal's claims; the API refuses this for a pod that was made without them. */
export function withStorage(set: StatefulSet, pod: Stored<Pod>, ordinal: number): Stored<Pod> {
  return { ...pod, spec: { ...pod.spec, volumes: claimVolumes(set, pod.spec.volumes ?? [], ordinal) } };
}
