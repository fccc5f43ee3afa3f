// The fields that upstream acts on and nothing here does: by schema type, what happens instead. Whoever sets one is told
// so in a warning, or refused where the field is a promise that silence would break. What the other fields are for
// stands in readers.yaml; docs/fields.md is made of both.

/** What becomes of a field that nobody reads. */
export interface Unsupported {
  /** What happens instead: the end of a sentence that the field begins. */
  instead: string;
  /** An object with it is refused: who sets it relies on it. */
  refused?: true;
  /** The values that nothing here acts on; without them, all are. */
  values?: readonly (string | boolean)[];
}

const warn = (instead: string, ...values: (string | boolean)[]): Unsupported =>
  values.length > 0 ? { instead, values } : { instead };
const refuse = (instead: string, ...values: (string | boolean)[]): Unsupported => ({
  ...warn(instead, ...values),
  refused: true,
});

const NO_CLASSES = warn('there are no VolumeAttributesClasses, the volume is as its StorageClass says');
const NOT_MOUNTED = warn('no node can mount it, pods wait for the volume');
const NO_WINDOWS = warn('nodes run Linux, these options change nothing');
const NO_DEVICES = warn('volumes are file systems, pods wait for the device');
const NO_SELINUX = warn('containers run with the label that the runtime gives them');

/** Sources of volumes for which there is no driver. */
const FOREIGN_SOURCES =
  'awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker gcePersistentDisk glusterfs iscsi nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume';
const foreignSources = Object.fromEntries(FOREIGN_SOURCES.split(' ').map((name) => [name, NOT_MOUNTED]));

/** Type → field → what happens instead. */
export const UNSUPPORTED: Readonly<Record<string, Readonly<Record<string, Unsupported>>>> = {
  Container: { volumeDevices: NO_DEVICES },
  EphemeralContainer: { volumeDevices: NO_DEVICES },
  EnvVarSource: { fileKeyRef: warn('containers wait for the variable') },
  Lifecycle: { stopSignal: warn("the stop signal is the image's") },
  PersistentVolumeClaimSpec: { volumeAttributesClassName: NO_CLASSES },
  PersistentVolumeSpec: { ...foreignSources, volumeAttributesClassName: NO_CLASSES },
  PodSecurityContext: {
    seLinuxChangePolicy: NO_SELINUX,
    seLinuxOptions: NO_SELINUX,
    windowsOptions: NO_WINDOWS,
  },
  PodSpec: {
    priorityClassName: warn(
      'pods are placed in the order in which they come, and none makes room for another',
    ),
    resourceClaims: refuse('there are no ResourceClaims, and no devices to claim'),
    resources: warn('it counts when a node is chosen, but nothing holds the pod as a whole to it'),
    schedulingGroup: warn('the pod is placed by itself'),
  },
  ResourceRequirements: { claims: refuse('there are no ResourceClaims, and no devices to claim') },
  SecurityContext: { seLinuxOptions: NO_SELINUX, windowsOptions: NO_WINDOWS },
  Volume: {
    ...foreignSources,
    gitRepo: NOT_MOUNTED,
  },
  VolumeMount: { recursiveReadOnly: refuse('mounts below the volume stay writable', 'Enabled') },
  VolumeProjection: {
    clusterTrustBundle: warn('there are no ClusterTrustBundles, pods wait for the volume'),
    podCertificate: warn('there are no PodCertificateRequests, pods wait for the volume'),
  },
};
