// Which container of a pod a stream is for, in upstream's words when it cannot be told (pkg/registry/core/pod
// strategy.go, validateContainer).
import { badRequest } from '../../api/errors.ts';
import type { Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';

/** @param asked empty: the only one, or the one that the pod's annotation names. */
export function chooseContainer(pod: Stored<Pod>, asked: string): string {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  const names = (list: ReadonlyArray<{ name: string }>): string[] => list.map(({ name }) => name);
  const all = [...names(containers), ...names(initContainers), ...names(ephemeralContainers)];
  const podName = pod.metadata.name;
  if (asked) {
    if (all.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${podName}`);
  }
  const preferred = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  if (preferred && all.includes(preferred)) return preferred;
  const [only, ...others] = names(containers);
  if (only && others.length === 0) return only;
  const choices = `choose one of: [${names(containers).join(' ')}]`;
  const inits =
    initContainers.length > 0 ? ` or one of the init containers: [${names(initContainers).join(' ')}]` : '';
  throw badRequest(`a container name must be specified for pod ${podName}, ${choices}${inits}`);
}
