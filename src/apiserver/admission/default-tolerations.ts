// A pod stays on a node that is not ready or unreachable for five minutes unless it says otherwise. Follows
// plugin/pkg/admission/defaulttolerationseconds/admission.go.
import type { Pod, Toleration } from '../../api/generated/types.ts';
import { type AdmissionPlugin, objectOf } from './admission.ts';

const TOLERATION_SECONDS = 300;
const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

export const defaultTolerations: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  admit(request) {
    if (request.operation !== 'CREATE') return;
    const pod = objectOf<Pod>(request, '', 'Pod');
    if (!pod?.spec) return;
    const own = pod.spec.tolerations ?? [];
    const missing = TAINTS.filter((taint) => !own.some((toleration) => tolerates(toleration, taint)));
    if (missing.length === 0) return;
    const added = missing.map((key) => ({
      key,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: TOLERATION_SECONDS,
    }));
    pod.spec.tolerations = [...own, ...added];
  },
};

function tolerates({ key, effect }: Toleration, taint: string): boolean {
  return (!key || key === taint) && (!effect || effect === 'NoExecute');
}
