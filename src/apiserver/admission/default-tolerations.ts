// A pod stays on a node that is not ready or unreachable for five minutes unless it says otherwise. Follows
// plugin/pkg/admission/defaulttolerationseconds/admission.go.
import type { Pod } from '../../api/generated/types.ts';
import { isAbout, TAINT_NOT_READY, TAINT_UNREACHABLE } from '../../api/taints.ts';
import { type AdmissionPlugin, objectOf } from './admission.ts';

const TOLERATION_SECONDS = 300;
const TAINTS = [TAINT_NOT_READY, TAINT_UNREACHABLE].map((key) => ({ key, effect: 'NoExecute' }));

export const defaultTolerations: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  admit(request) {
    const pod = request.operation === 'CREATE' ? objectOf<Pod>(request, '', 'Pod') : undefined;
    if (!pod?.spec) return request.object;
    const own = pod.spec.tolerations ?? [];
    const missing = TAINTS.filter((taint) => !own.some((toleration) => isAbout(toleration, taint)));
    if (missing.length === 0) return pod;
    const added = missing.map((taint) => ({
      ...taint,
      operator: 'Exists',
      tolerationSeconds: TOLERATION_SECONDS,
    }));
    return { ...pod, spec: { ...pod.spec, tolerations: [...own, ...added] } };
  },
};
