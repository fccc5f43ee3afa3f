// A pod's priority is a number taken from its class, and only one class is everybody's. Follows
// plugin/pkg/admission/priority/admission.go.
import { forbidden } from '../../api/errors.ts';
import type { Pod, PriorityClass } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { own } from '../../base/own.ts';
import { present } from '../../base/present.ts';
import { type AdmissionContext, type AdmissionPlugin, type AdmissionRequest, objectOf } from './admission.ts';

interface Priority {
  value?: number;
  preemptionPolicy?: string;
}

/** The classes that are there also before their objects are. */
const SYSTEM_CLASSES: Readonly<Record<string, Priority>> = {
  'system-cluster-critical': { value: 2_000_000_000 },
  'system-node-critical': { value: 2_000_001_000 },
};
const PREEMPTS = 'PreemptLowerPriority';

export const podPriority: AdmissionPlugin = {
  name: 'Priority',
  async admit(request, context) {
    const pod = objectOf<Pod>(request, '', 'Pod');
    if (!pod?.spec) return request.object;
    // The resource decides the type.
    if (request.operation === 'UPDATE') return kept(pod, request.old as Stored<Pod> | undefined);
    const chosen = pod.spec.priorityClassName ? undefined : (await globalDefaults(context))[0];
    const { priorityClassName } = pod.spec;
    const priority = chosen ?? (priorityClassName ? await named(priorityClassName, context) : { value: 0 });
    if (!priority) throw refused(request, `no PriorityClass with name ${priorityClassName} was found`);
    const { value = 0, preemptionPolicy = PREEMPTS } = priority;
    const must = (what: string, given: unknown, computed: unknown): Error =>
      refused(
        request,
        `the ${what} (${given}) must not be provided in pod spec; priority admission controller computed ${computed} from the given PriorityClass name`,
      );
    const { priority: given = value, preemptionPolicy: policy = preemptionPolicy } = pod.spec;
    if (given !== value) throw must('integer value of priority', given, value);
    if (policy !== preemptionPolicy) {
      throw must('string value of PreemptionPolicy', policy, preemptionPolicy);
    }
    const classed = chosen ? { ...pod, spec: { ...pod.spec, priorityClassName: chosen.metadata.name } } : pod;
    return withPriority(classed, value, preemptionPolicy);
  },
  async validate(request, context) {
    const wanted = objectOf<PriorityClass>(request, 'scheduling.k8s.io', 'PriorityClass');
    if (!wanted?.globalDefault) return;
    const [chosen] = await globalDefaults(context);
    if (!chosen || (request.operation === 'UPDATE' && chosen.metadata.name === request.key.name)) return;
    const why = `PriorityClass ${chosen.metadata.name} is already marked as default. Only one default can exist`;
    throw refused(request, why);
  },
};

const refused = ({ resource, key }: AdmissionRequest, why: string): Error =>
  forbidden(resource, key.name, why);

/** An update that leaves out what was computed does not take it away. */
function kept(pod: Pod, old: Stored<Pod> | undefined): Pod {
  const { priority = old?.spec.priority, preemptionPolicy = old?.spec.preemptionPolicy } = pod.spec;
  return withPriority(pod, priority, preemptionPolicy);
}

/** The pod with both, if they are known; the very same if it has them. */
function withPriority(pod: Pod, priority: number | undefined, preemptionPolicy: string | undefined): Pod {
  const { spec } = pod;
  if (spec.priority === priority && spec.preemptionPolicy === preemptionPolicy) return pod;
  return { ...pod, spec: present({ ...spec, priority, preemptionPolicy }) };
}

async function named(name: string, context: AdmissionContext): Promise<Priority | undefined> {
  const found = await context.find('scheduling.k8s.io', 'priorityclasses', { name });
  return (found as Stored<PriorityClass> | undefined) ?? own(SYSTEM_CLASSES, name);
}

/** The classes marked as the default, the lowest first: two writes at a time may make two of them. */
async function globalDefaults(context: AdmissionContext): Promise<Stored<PriorityClass>[]> {
  const classes = (await context.list('scheduling.k8s.io', 'priorityclasses')) as Stored<PriorityClass>[];
  return classes.filter((each) => each.globalDefault).sort((a, b) => (a.value ?? 0) - (b.value ?? 0));
}
