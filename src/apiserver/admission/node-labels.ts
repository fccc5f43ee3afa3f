// Which labels a node may give itself. Follows kubelet's pkg/apis/well_known_labels.go and the NodeRestriction plug-in
// (getForbiddenLabels).

/** Kubernetes' own labels that a node may set. */
const NODE_LABELS = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
]);
const NODE_NAMESPACES = ['kubelet.kubernetes.io', 'node.kubernetes.io'];
const KUBERNETES_NAMESPACES = ['kubernetes.io', 'k8s.io'];
const RESTRICTED_NAMESPACE = 'node-restriction.kubernetes.io';

type Labels = Readonly<Record<string, string>> | undefined;

/** Of the labels in which two versions of a node differ, those that it may not change itself; sorted. */
export function forbiddenLabels(next: Labels, before: Labels): string[] {
  const keys = new Set([...Object.keys(next ?? {}), ...Object.keys(before ?? {})]);
  return [...keys].filter((key) => next?.[key] !== before?.[key] && isForbidden(key)).sort();
}

function isForbidden(key: string): boolean {
  const slash = key.indexOf('/');
  const namespace = slash < 0 ? '' : key.slice(0, slash);
  const within = (parent: string): boolean => namespace === parent || namespace.endsWith(`.${parent}`);
  if (within(RESTRICTED_NAMESPACE)) return true;
  return KUBERNETES_NAMESPACES.some(within) && !NODE_LABELS.has(key) && !NODE_NAMESPACES.some(within);
}
