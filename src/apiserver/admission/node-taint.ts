// A new node takes no pods until it has said that it is ready; then the nodes controller takes the taint away. Follows
// plugin/pkg/admission/nodetaint/admission.go.
import type { Node } from '../../api/generated/types.ts';
import { TAINT_NOT_READY } from '../../api/taints.ts';
import { type AdmissionPlugin, objectOf } from './admission.ts';

export const nodeTaint: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  admit(request) {
    const node = request.operation === 'CREATE' ? objectOf<Node>(request, '', 'Node') : undefined;
    if (!node) return request.object;
    const taints = node.spec?.taints ?? [];
    if (taints.some(({ key, effect }) => key === TAINT_NOT_READY && effect === 'NoSchedule')) return node;
    const added = { key: TAINT_NOT_READY, effect: 'NoSchedule' };
    return { ...node, spec: { ...node.spec, taints: [...taints, added] } };
  },
};
