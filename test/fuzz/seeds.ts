// Good objects to begin with, for the kinds that a random one is seldom good for.
import type { ResourceDefinition } from '../../src/api/resource.ts';

const template = {
  metadata: { labels: { app: 'web' } },
  spec: {
    containers: [{ name: 'main', image: 'example/main:1', ports: [{ containerPort: 80, name: 'web' }] }],
  },
};
const claimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };

const SEEDS: Readonly<Record<string, object>> = {
  Pod: { spec: template.spec },
  PodTemplate: { template },
  Service: { spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } },
  Endpoints: { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] },
  ConfigMap: { data: { a: 'b' } },
  Secret: { data: { a: 'AA==' } },
  PersistentVolumeClaim: { spec: claimSpec },
  PersistentVolume: {
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' } },
  },
  StatefulSet: {
    spec: {
      serviceName: 'web',
      selector: { matchLabels: { app: 'web' } },
      template,
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claimSpec }],
    },
  },
  ControllerRevision: { revision: 1, data: {} },
  EndpointSlice: { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ port: 80 }] },
  StorageClass: { provisioner: 'example.com/x' },
  Event: { involvedObject: { kind: 'Pod', name: 'web-0', namespace: 'default' }, reason: 'x' },
  EventsV1Event: {
    regarding: { kind: 'Pod', name: 'web-0', namespace: 'default' },
    reason: 'x',
    eventTime: '2026-01-01T00:00:00.000000Z',
  },
  PodDisruptionBudget: { spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } } },
  PriorityClass: { value: 5 },
  RuntimeClass: { handler: 'runc' },
  VolumeAttachment: { spec: { attacher: 'x', nodeName: 'a', source: { persistentVolumeName: 'a' } } },
  RoleBinding: {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'a' },
    subjects: [{ kind: 'User', name: 'a', apiGroup: 'rbac.authorization.k8s.io' }],
  },
  ClusterRoleBinding: { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'a' } },
};

/** A good object of the kind, without metadata; an empty one where that is good enough. */
export function seedOf({ schema }: ResourceDefinition): Record<string, unknown> {
  return structuredClone({ ...SEEDS[schema] });
}
