// A pod that has a node carries the node's zone and region as labels, so that the downward API can tell it where it is.
// Follows plugin/pkg/admission/podtopologylabels/admission.go.
import type { Pod } from '../../api/generated/types.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

const LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

export const podTopologyLabels: AdmissionPlugin = {
  name: 'PodTopologyLabels',
  async admit(request, context) {
    const pod = placedPod(request);
    const name = pod?.spec?.nodeName;
    if (!pod || !name) return request.object;
    const node = await context.find('', 'nodes', { name });
    const before = request.old?.metadata.labels ?? {};
    const given = pod.metadata.labels ?? {};
    const places = Object.entries(node?.metadata.labels ?? {}).filter(
      // What the pod was made with gives way when it is bound; what the binding says itself, or a pod that is made on
      // its node, does not.
      ([key, value]) => LABELS.includes(key) && given[key] !== value && given[key] === before[key],
    );
    if (places.length === 0) return pod;
    return { ...pod, metadata: { ...pod.metadata, labels: { ...given, ...Object.fromEntries(places) } } };
  },
};

/** The pod of a write that says which node it is on: of a binding, or of a pod that is made with a node. */
function placedPod({ operation, resource, subresource, object }: AdmissionRequest): Pod | undefined {
  if (resource.group !== '' || resource.kind !== 'Pod') return undefined;
  const isPlaced = subresource === 'binding' || (operation === 'CREATE' && !subresource);
  // The resource decides the type.
  return isPlaced ? (object as Pod) : undefined;
}
