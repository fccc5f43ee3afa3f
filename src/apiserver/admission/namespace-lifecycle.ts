// Nothing is created in a namespace that is not there or is going, and the system's namespaces stay. Follows
// apiserver pkg/admission/plugin/namespace/lifecycle/admission.go.
import { forbidden, notFound, StatusError } from '../../api/errors.ts';
import { isTerminating } from '../../api/objects.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

const NAMESPACES = { group: '', plural: 'namespaces', kind: 'Namespace' };
const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

export const namespaceLifecycle: AdmissionPlugin = {
  name: 'NamespaceLifecycle',
  async admit(request, context) {
    const { operation, resource, key, object } = request;
    if (operation !== 'CREATE' || !resource.namespaced || !key.namespace) return object;
    const namespace = await context.find('', 'namespaces', { name: key.namespace });
    if (!namespace) throw notFound(NAMESPACES, key.namespace);
    if (isTerminating(namespace)) throw terminating(request, key.namespace);
    return object;
  },
  admitDeletion({ resource, key }) {
    if (resource.group === '' && resource.kind === 'Namespace' && IMMORTAL.has(key.name)) {
      throw forbidden(resource, key.name, 'this namespace may not be deleted');
    }
  },
};

function terminating({ resource, key }: AdmissionRequest, namespace: string): StatusError {
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const { status } = forbidden(resource, key.name, why);
  const message = `namespace ${namespace} is being terminated`;
  const causes = [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }];
  return new StatusError({ ...status, details: { ...status.details, causes } });
}
