// A pod that names no service account runs as its namespace's `default`. Follows
// plugin/pkg/admission/serviceaccount/admission.go.
import type { Pod } from '../../api/generated/types.ts';
import { type AdmissionPlugin, objectOf } from './admission.ts';

export const serviceAccount: AdmissionPlugin = {
  name: 'ServiceAccount',
  admit(request) {
    if (request.operation !== 'CREATE') return;
    const pod = objectOf<Pod>(request, '', 'Pod');
    if (!pod?.spec) return;
    const name = pod.spec.serviceAccountName || pod.spec.serviceAccount || 'default';
    pod.spec.serviceAccountName = name;
    pod.spec.serviceAccount = name;
  },
};
