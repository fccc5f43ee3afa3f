// Defaults with a condition, one small function per type (upstream: pkg/apis/*/v1/defaults.go, and the conversions
// beside them). They see an object whose constant defaults are set and whose children have none yet.
import type {
  Container,
  EphemeralContainer,
  LimitRangeItem,
  Namespace,
  NodeStatus,
  Pod,
  PodSpec,
  RbacV1Subject,
  Secret,
  Service,
  StatefulSet,
  StatefulSetUpdateStrategy,
  Volume,
} from '../../generated/types.ts';
import { setPodResourceDefaults } from './pod-resource-defaults.ts';

/** A rule for one type, changing the object in place. */
export interface DefaultRules {
  Container(object: Container): void;
  EphemeralContainer(object: EphemeralContainer): void;
  LimitRangeItem(object: LimitRangeItem): void;
  Namespace(object: Namespace): void;
  NodeStatus(object: NodeStatus): void;
  Pod(object: Pod): void;
  PodSpec(object: PodSpec): void;
  RbacV1Subject(object: RbacV1Subject): void;
  Secret(object: Secret): void;
  Service(object: Service): void;
  StatefulSet(object: StatefulSet): void;
  StatefulSetUpdateStrategy(object: StatefulSetUpdateStrategy): void;
  Volume(object: Volume): void;
}

/** Images without a tag, or tagged latest, are always pulled; those with another tag or a digest only when missing. */
function pullPolicyOf(image: string | undefined): 'Always' | 'IfNotPresent' {
  const [name = '', digest] = (image ?? '').split('@', 2);
  if (name === '') return 'IfNotPresent';
  const tag = /:([^/:]+)$/.exec(name)?.[1] ?? (digest === undefined ? 'latest' : '');
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function defaultPullPolicy(container: { image?: string; imagePullPolicy?: string }): void {
  container.imagePullPolicy ??= pullPolicyOf(container.image);
}

function isExternallyAccessible({ spec }: Service): boolean {
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') return true;
  return spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0;
}

/** What a container may use at most is also what it asks for, unless it asks for something else. */
function requestWhatIsLimited(container: Container): void {
  const limits = container.resources?.limits;
  if (!limits) return;
  container.resources = { ...container.resources, requests: { ...limits, ...container.resources?.requests } };
}

function useHostPorts(container: Container): void {
  for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
}

export const DEFAULT_RULES: DefaultRules = {
  Container: defaultPullPolicy,
  EphemeralContainer: defaultPullPolicy,

  LimitRangeItem(item) {
    if (item.type !== 'Container') return;
    const limits = { ...item.max, ...item.default };
    const requests = { ...item.min, ...limits, ...item.defaultRequest };
    if (Object.keys(limits).length > 0) item.default = limits;
    if (Object.keys(requests).length > 0) item.defaultRequest = requests;
  },

  Namespace({ metadata }) {
    if (metadata.name) metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name };
  },

  NodeStatus(status) {
    if (!status.allocatable && status.capacity) status.allocatable = { ...status.capacity };
  },

  Pod({ spec }) {
    const containers = [...(spec.initContainers ?? []), ...spec.containers];
    containers.forEach(requestWhatIsLimited);
    setPodResourceDefaults(spec);
    spec.enableServiceLinks ??= true;
    if (spec.hostNetwork) containers.forEach(useHostPorts);
  },

  // The old name of serviceAccountName is kept alive beside it.
  PodSpec(spec) {
    const account = spec.serviceAccountName || spec.serviceAccount;
    if (!account) return;
    spec.serviceAccountName = account;
    spec.serviceAccount = account;
  },

  RbacV1Subject(subject) {
    const isUser = subject.kind === 'User' || subject.kind === 'Group';
    if (!subject.apiGroup && isUser) subject.apiGroup = 'rbac.authorization.k8s.io';
  },

  // stringData is a way of writing data, and is never read back.
  Secret(secret) {
    if (!secret.stringData) return;
    const written = Object.entries(secret.stringData).map(([key, text]) => [
      key,
      Buffer.from(text).toString('base64'),
    ]);
    secret.data = { ...secret.data, ...Object.fromEntries(written) };
    delete secret.stringData;
  },

  Service(service) {
    const { spec, status } = service;
    const type = spec.type ?? 'ClusterIP';
    if ((spec.sessionAffinity ?? 'None') === 'None') delete spec.sessionAffinityConfig;
    else if (
      spec.sessionAffinity === 'ClientIP' &&
      spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined
    ) {
      spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10800 } };
    }
    for (const port of spec.ports ?? []) port.targetPort ||= port.port;
    if (isExternallyAccessible({ ...service, spec: { ...spec, type } }))
      spec.externalTrafficPolicy ??= 'Cluster';
    if (type === 'ClusterIP' || type === 'NodePort' || type === 'LoadBalancer') {
      spec.internalTrafficPolicy ??= 'Cluster';
    }
    if (type !== 'LoadBalancer') return;
    spec.allocateLoadBalancerNodePorts ??= true;
    for (const ingress of status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP';
  },

  StatefulSet({ spec }) {
    spec.updateStrategy ??= {};
  },

  StatefulSetUpdateStrategy(strategy) {
    if (!strategy.type) {
      strategy.type = 'RollingUpdate';
      strategy.rollingUpdate ??= {};
    }
    if (strategy.type !== 'RollingUpdate' || !strategy.rollingUpdate) return;
    strategy.rollingUpdate.partition ??= 0;
    strategy.rollingUpdate.maxUnavailable ??= 1;
  },

  Volume(volume) {
    if (Object.keys(volume).every((field) => field === 'name')) volume.emptyDir = {};
    if (volume.image) volume.image.pullPolicy ??= pullPolicyOf(volume.image.reference);
  },
};
