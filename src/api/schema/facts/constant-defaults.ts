// Defaults that depend on nothing else: upstream's SetDefaults functions (pkg/apis/*/v1/defaults.go) and +default
// markers (kubernetes/api, types.go) where they only fill in a constant. Those with a condition are in
// default-rules.ts.

type Constant = string | number | boolean | Readonly<Record<string, never>>;

const container = { terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' };
const rbd = { keyring: '/etc/ceph/keyring', pool: 'rbd', user: 'admin' };
const scaleIO = { fsType: 'xfs', storageMode: 'ThinProvisioned' };
const fileMode = { defaultMode: 0o644 };

/** Type → field → what it is when it is left out. */
export const CONSTANT_DEFAULTS: Readonly<Record<string, Readonly<Record<string, Constant>>>> = {
  AzureDiskVolumeSource: { cachingMode: 'ReadWrite', fsType: 'ext4', kind: 'Shared', readOnly: false },
  ConfigMapVolumeSource: fileMode,
  Container: container,
  ContainerPort: { protocol: 'TCP' },
  DiscoveryV1EndpointPort: { name: '', protocol: 'TCP' },
  DownwardAPIVolumeSource: fileMode,
  EndpointPort: { protocol: 'TCP' },
  EphemeralContainer: container,
  FileKeySelector: { optional: false },
  GRPCAction: { service: '' },
  HTTPGetAction: { path: '/', scheme: 'HTTP' },
  HostPathVolumeSource: { type: '' },
  ISCSIPersistentVolumeSource: { iscsiInterface: 'default' },
  ISCSIVolumeSource: { iscsiInterface: 'default' },
  NamespaceStatus: { phase: 'Active' },
  ObjectFieldSelector: { apiVersion: 'v1' },
  PersistentVolumeClaimSpec: { volumeMode: 'Filesystem' },
  PersistentVolumeClaimStatus: { phase: 'Pending' },
  PersistentVolumeSpec: { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' },
  PersistentVolumeStatus: { phase: 'Pending' },
  PodSpec: {
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
  },
  PriorityClass: { preemptionPolicy: 'PreemptLowerPriority' },
  Probe: { failureThreshold: 3, periodSeconds: 10, successThreshold: 1, timeoutSeconds: 1 },
  ProjectedVolumeSource: fileMode,
  RBDPersistentVolumeSource: rbd,
  RBDVolumeSource: rbd,
  RoleRef: { apiGroup: 'rbac.authorization.k8s.io' },
  ScaleIOPersistentVolumeSource: scaleIO,
  ScaleIOVolumeSource: scaleIO,
  Secret: { type: 'Opaque' },
  SecretVolumeSource: fileMode,
  ServiceAccountTokenProjection: { expirationSeconds: 3600 },
  ServicePort: { protocol: 'TCP' },
  ServiceSpec: { sessionAffinity: 'None', type: 'ClusterIP' },
  StatefulSetPersistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
  StatefulSetSpec: {
    persistentVolumeClaimRetentionPolicy: {},
    podManagementPolicy: 'OrderedReady',
    replicas: 1,
    revisionHistoryLimit: 10,
  },
  StorageClass: { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
  TokenRequestSpec: { expirationSeconds: 3600 },
};
