// A pod of a RuntimeClass gets what the class says: what it takes beside its containers, and where it may run. A class
// that is not there is refused: the pod would run with less isolation than it asks for. Follows
// plugin/pkg/admission/runtimeclass/admission.go.
import { forbidden } from '../../api/errors.ts';
import type { Pod, PodSpec, RuntimeClass, Scheduling, Toleration } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { semanticallyEqual } from '../../api/validation/equality.ts';
import { present } from '../../base/present.ts';
import { type AdmissionContext, type AdmissionPlugin, type AdmissionRequest, objectOf } from './admission.ts';

const OTHER_OVERHEAD = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
const OWN_OVERHEAD = 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead';

export const runtimeClass: AdmissionPlugin = {
  name: 'RuntimeClass',
  async admit(request, context) {
    const pod = newPod(request);
    if (!pod?.spec) return request.object;
    const { overhead, scheduling } = (await classOf(pod, request, context)) ?? {};
    if (overhead)
      requireOverhead(request, pod.spec.overhead, overhead.podFixed, pod.spec.overhead !== undefined);
    const spec: Partial<PodSpec> = present({
      overhead: overhead?.podFixed,
      ...(scheduling && placement(request, pod, scheduling)),
    });
    return Object.keys(spec).length > 0 ? { ...pod, spec: { ...pod.spec, ...spec } } : pod;
  },
  async validate(request, context) {
    const pod = newPod(request);
    if (!pod?.spec) return;
    const { overhead } = (await classOf(pod, request, context)) ?? {};
    if (overhead) requireOverhead(request, pod.spec.overhead, overhead.podFixed, true);
    else if (pod.spec.overhead !== undefined) throw refused(request, OWN_OVERHEAD);
  },
};

function newPod(request: AdmissionRequest): Pod | undefined {
  return request.operation === 'CREATE' ? objectOf<Pod>(request, '', 'Pod') : undefined;
}

const refused = ({ resource, key }: AdmissionRequest, why: string): Error =>
  forbidden(resource, key.name, why);

async function classOf(
  { spec: { runtimeClassName: name } }: Pod,
  request: AdmissionRequest,
  context: AdmissionContext,
): Promise<Stored<RuntimeClass> | undefined> {
  if (name === undefined) return undefined;
  const found = await context.find('node.k8s.io', 'runtimeclasses', { name });
  if (!found) throw refused(request, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
  // The resource decides the type.
  return found as Stored<RuntimeClass>;
}

function requireOverhead(
  request: AdmissionRequest,
  own: Readonly<Record<string, string>> | undefined,
  ofClass: Readonly<Record<string, string>> | undefined,
  isSet: boolean,
): void {
  if (isSet && !semanticallyEqual(own ?? {}, ofClass ?? {})) throw refused(request, OTHER_OVERHEAD);
}

/** What the class's scheduling makes of the pod's own. Throws Forbidden when they do not agree. */
function placement(
  request: AdmissionRequest,
  { spec }: Pod,
  { nodeSelector, tolerations }: Scheduling,
): Pick<PodSpec, 'nodeSelector' | 'tolerations'> {
  const own = spec.nodeSelector ?? {};
  for (const [key, value] of Object.entries(nodeSelector ?? {})) {
    if (!Object.hasOwn(own, key) || own[key] === value) continue;
    const why = `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own[key]}`;
    throw refused(request, why);
  }
  return present({
    nodeSelector: nodeSelector && { ...own, ...nodeSelector },
    tolerations: tolerations && mergeTolerations(spec.tolerations ?? [], tolerations),
  });
}

/** All of them, but for those that another one contains. */
function mergeTolerations(own: readonly Toleration[], more: readonly Toleration[]): Toleration[] {
  const all = [...own, ...more];
  const merged: Toleration[] = [];
  for (const [index, toleration] of all.entries()) {
    const isContained =
      merged.some((each) => contains(each, toleration)) ||
      all.slice(index + 1).some((each) => !semanticallyEqual(each, toleration) && contains(each, toleration));
    if (!isContained) merged.push(toleration);
  }
  return merged;
}

/** Whether the first tolerates all that the second does (pkg/util/tolerations). */
function contains(outer: Toleration, inner: Toleration): boolean {
  if (semanticallyEqual(outer, inner)) return true;
  const outerOperator = outer.operator || 'Equal';
  const innerOperator = inner.operator || 'Equal';
  const anyKey = !outer.key && outerOperator === 'Exists';
  if ((outer.key ?? '') !== (inner.key ?? '') && !anyKey) return false;
  if (outer.effect && outer.effect !== inner.effect) return false;
  const { tolerationSeconds: seconds } = outer;
  if (outer.effect === 'NoExecute' && seconds !== undefined) {
    if (inner.tolerationSeconds === undefined || inner.tolerationSeconds > seconds) return false;
  }
  if (outerOperator === 'Exists') return true;
  return (
    outerOperator === 'Equal' && innerOperator === 'Equal' && (outer.value ?? '') === (inner.value ?? '')
  );
}
