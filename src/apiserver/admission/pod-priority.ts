// A pod's priority is a number taken from its class. Follows plugin/pkg/admission/priority/admission.go.
import { forbidden } from '../../api/errors.ts';
import type { Pod, PriorityClass } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { type AdmissionContext, type AdmissionPlugin, objectOf } from './admission.ts';

interface Priority {
  value?: number;
  preemptionPolicy?: string;
}

/** The classes that are there without an object. */
const SYSTEM_CLASSES: Readonly<Record<string, Priority>> = {
  'system-cluster-critical': { value: 2_000_000_000 },
  'system-node-critical': { value: 2_000_001_000 },
};

export const podPriority: AdmissionPlugin = {
  name: 'Priority',
  async admit(request, context) {
    if (request.operation !== 'CREATE') return;
    const pod = objectOf<Pod>(request, '', 'Pod');
    if (!pod?.spec) return;
    const { priorityClassName } = pod.spec;
    const priority = priorityClassName
      ? await named(priorityClassName, context)
      : await globalDefault(pod, context);
    if (!priority) {
      const why = `no PriorityClass with name ${priorityClassName} was found`;
      throw forbidden(request.resource, request.key.name, why);
    }
    const value = priority.value ?? 0;
    if (pod.spec.priority !== undefined && pod.spec.priority !== value) {
      const why = `the integer value of priority (${pod.spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`;
      throw forbidden(request.resource, request.key.name, why);
    }
    pod.spec.priority = value;
    pod.spec.preemptionPolicy ??= priority.preemptionPolicy ?? 'PreemptLowerPriority';
  },
};

async function named(name: string, context: AdmissionContext): Promise<Priority | undefined> {
  const found = await context.find('scheduling.k8s.io', 'priorityclasses', { name });
  return (found as Stored<PriorityClass> | undefined) ?? SYSTEM_CLASSES[name];
}

/** The class marked as the default, the lowest if there are several; 0 without one. */
async function globalDefault(pod: Pod, context: AdmissionContext): Promise<Priority> {
  const classes = (await context.list('scheduling.k8s.io', 'priorityclasses')) as Stored<PriorityClass>[];
  const defaults = classes
    .filter((each) => each.globalDefault)
    .sort((a, b) => (a.value ?? 0) - (b.value ?? 0));
  const chosen = defaults[0];
  if (!chosen) return { value: 0 };
  pod.spec.priorityClassName = chosen.metadata.name;
  return chosen;
}
