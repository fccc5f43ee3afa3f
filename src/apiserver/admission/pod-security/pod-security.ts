// The pod security standards, by the labels of the namespace: pods that violate what it enforces are refused, others,
// and sets whose template would, are warned of. Follows pod-security-admission admission/admission.go. What `audit`
// finds belongs into an audit log, which there is none of.
import { forbidden, invalid } from '../../../api/errors.ts';
import type { Namespace, Pod, PodSpec, PodTemplateSpec } from '../../../api/generated/types.ts';
import type { KubeObject, Stored } from '../../../api/objects.ts';
import { semanticallyEqual } from '../../../api/validation/equality.ts';
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { demandOf, describeDemand, findingsOf, labelErrors } from './policy.ts';

/** As many pods of a namespace are looked at when its labels change. */
const MAX_PODS = 3_000;
const WRITES_OF_PODS = new Set([undefined, 'ephemeralcontainers', 'resize']);

export const podSecurity: AdmissionPlugin = {
  name: 'PodSecurity',
  async validate(request, context) {
    const { resource, subresource, object } = request;
    if (resource.group === '' && resource.kind === 'Namespace') {
      if (!subresource) await checkNamespace(request, object as Namespace, context);
    } else if (resource.group === '' && resource.kind === 'Pod') {
      if (WRITES_OF_PODS.has(subresource)) await checkPod(request, object as Pod, context);
    } else if (!subresource) {
      await checkTemplate(request, object, context);
    }
  },
};

async function labelsOf({ key }: AdmissionRequest, context: AdmissionContext) {
  const namespace = await context.find('', 'namespaces', { name: key.namespace ?? '' });
  return namespace?.metadata.labels;
}

async function checkPod(request: AdmissionRequest, pod: Pod, context: AdmissionContext): Promise<void> {
  const old = request.old as Stored<Pod> | undefined;
  // Of a pod that is there, little but its images can change.
  if (old && sameContainers(pod.spec, old.spec)) return;
  const labels = await labelsOf(request, context);
  const enforced = demandOf(labels, 'enforce');
  const findings = findingsOf(enforced, pod.spec, pod.metadata);
  if (findings) {
    const why = `violates PodSecurity ${JSON.stringify(describeDemand(enforced))}: ${findings.details}`;
    throw forbidden(request.resource, request.key.name, why);
  }
  warn(labels, pod.spec, pod.metadata, context);
}

function sameContainers(a: PodSpec, b: PodSpec): boolean {
  const images = (spec: PodSpec): object =>
    [spec.containers, spec.initContainers ?? [], spec.ephemeralContainers ?? []].map((list) =>
      list.map(({ name, image }) => ({ name, image })),
    );
  return semanticallyEqual(images(a), images(b));
}

function warn(
  labels: Record<string, string> | undefined,
  spec: PodSpec,
  metadata: KubeObject['metadata'],
  context: AdmissionContext,
): void {
  const demand = demandOf(labels, 'warn');
  const findings = findingsOf(demand, spec, metadata);
  if (findings) {
    context.warn(`would violate PodSecurity ${JSON.stringify(describeDemand(demand))}: ${findings.details}`);
  }
}

/** What makes pods is not refused: its pods will be. */
async function checkTemplate(request: AdmissionRequest, object: KubeObject, context: AdmissionContext) {
  const template = templateOf(object);
  if (!template?.spec) return;
  warn(await labelsOf(request, context), template.spec, template.metadata ?? {}, context);
}

/** The pod template of a kind that makes pods: in its spec, or, of a PodTemplate, in itself. */
function templateOf(object: KubeObject): PodTemplateSpec | undefined {
  const { spec, template } = object as { spec?: { template?: unknown }; template?: unknown };
  const found = object.kind === 'PodTemplate' ? template : spec?.template;
  const isTemplate = (value: unknown): value is PodTemplateSpec =>
    typeof value === 'object' && value !== null && 'spec' in value;
  return isTemplate(found) ? found : undefined;
}

async function checkNamespace(request: AdmissionRequest, namespace: Namespace, context: AdmissionContext) {
  const { resource, key, old } = request;
  const errors = labelErrors(namespace.metadata.labels);
  const oldErrors = old ? labelErrors(old.metadata.labels) : [];
  if (errors.length > 0 && !semanticallyEqual(errors, oldErrors)) throw invalid(resource, key.name, errors);
  const demand = demandOf(namespace.metadata.labels, 'enforce');
  if (!old || semanticallyEqual(demand, demandOf(old.metadata.labels, 'enforce'))) return;
  // The resource decides the type.
  const pods = (await context.list('', 'pods', key.name)) as Stored<Pod>[];
  const offenders = new Map<string, string[]>();
  for (const pod of pods.slice(0, MAX_PODS)) {
    const findings = findingsOf(demand, pod.spec, pod.metadata);
    if (!findings) continue;
    offenders.set(findings.reasons, [...(offenders.get(findings.reasons) ?? []), pod.metadata.name]);
  }
  if (offenders.size === 0) return;
  context.warn(
    `existing pods in namespace "${key.name}" violate the new PodSecurity enforce level "${describeDemand(demand)}"`,
  );
  const lines = [...offenders].map(([reasons, names]) => `${describePods(names)}: ${reasons}`);
  for (const line of lines.sort()) context.warn(line);
}

/** `web-0 (and 2 other pods)`. */
function describePods(names: readonly string[]): string {
  const others = names.length - 1;
  if (others === 0) return `${names[0]}`;
  return `${names[0]} (and ${others} other ${others === 1 ? 'pod' : 'pods'})`;
}
