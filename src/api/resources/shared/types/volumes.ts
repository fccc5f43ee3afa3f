// The volumes of a pod, and where each comes from. Those of PersistentVolumes alone stand with that kind.
import { embedded, enumType, pointer } from '../../../schema/facts.ts';
import { generatedTypes } from '../../../schema/generated-types.ts';
import { pullPolicy } from './enums.ts';
import { pullPolicyOf } from './pull-policy.ts';

export const volumeTypes = generatedTypes('io.k8s.api.core.v1', {
  AWSElasticBlockStoreVolumeSource: { numbers: 'volumeID fsType partition readOnly' },
  AzureDiskVolumeSource: {
    numbers: 'diskName diskURI cachingMode fsType readOnly kind',
    fields: {
      cachingMode: {
        presence: 'pointer',
        default: 'ReadWrite',
        enum: enumType('AzureDataDiskCachingMode', 'None', 'ReadOnly', 'ReadWrite'),
      },
      fsType: { presence: 'pointer', default: 'ext4' },
      kind: {
        presence: 'pointer',
        default: 'Shared',
        enum: enumType('AzureDataDiskKind', 'Shared', 'Dedicated', 'Managed'),
      },
      readOnly: { presence: 'pointer', default: false },
    },
  },
  AzureFileVolumeSource: { numbers: 'secretName shareName readOnly' },
  CSIVolumeSource: {
    numbers: 'driver readOnly fsType volumeAttributes nodePublishSecretRef',
    fields: { fsType: pointer, readOnly: pointer },
  },
  CephFSVolumeSource: { numbers: 'monitors path user secretFile secretRef readOnly' },
  CinderVolumeSource: { numbers: 'volumeID fsType readOnly secretRef' },
  ClusterTrustBundleProjection: {
    numbers: 'name signerName labelSelector path optional',
    fields: { name: pointer, optional: pointer, signerName: pointer },
  },
  ConfigMapProjection: { numbers: '>(name) items 4:optional', fields: { optional: pointer } },
  ConfigMapVolumeSource: {
    numbers: '>(name) items defaultMode optional',
    fields: { defaultMode: { presence: 'pointer', default: 0o644 }, optional: pointer },
  },
  DownwardAPIProjection: { numbers: 'items' },
  DownwardAPIVolumeFile: { numbers: 'path fieldRef resourceFieldRef mode', fields: { mode: pointer } },
  DownwardAPIVolumeSource: {
    numbers: 'items defaultMode',
    fields: { defaultMode: { presence: 'pointer', default: 0o644 } },
  },
  EmptyDirVolumeSource: {
    numbers: 'medium sizeLimit',
    fields: { sizeLimit: { presence: 'pointer', quantity: true } },
  },
  EphemeralVolumeSource: { numbers: 'volumeClaimTemplate' },
  FCVolumeSource: { numbers: 'targetWWNs lun fsType readOnly wwids', fields: { lun: pointer } },
  FlexVolumeSource: { numbers: 'driver fsType secretRef readOnly options' },
  FlockerVolumeSource: { numbers: 'datasetName datasetUUID' },
  GCEPersistentDiskVolumeSource: { numbers: 'pdName fsType partition readOnly' },
  GitRepoVolumeSource: { numbers: 'repository revision directory' },
  GlusterfsVolumeSource: { numbers: 'endpoints path readOnly' },
  HostPathVolumeSource: {
    numbers: 'path type',
    fields: {
      type: {
        presence: 'pointer',
        default: '',
        enum: enumType(
          'HostPathType',
          '',
          'DirectoryOrCreate',
          'Directory',
          'FileOrCreate',
          'File',
          'Socket',
          'CharDevice',
          'BlockDevice',
        ),
      },
    },
  },
  ISCSIVolumeSource: {
    numbers:
      'targetPortal iqn lun iscsiInterface fsType readOnly portals chapAuthDiscovery 10:secretRef chapAuthSession initiatorName',
    fields: { initiatorName: pointer, iscsiInterface: { default: 'default' } },
  },
  ImageVolumeSource: { numbers: 'reference pullPolicy', fields: { pullPolicy: { enum: pullPolicy } } },
  KeyToPath: { numbers: 'key path mode', fields: { mode: pointer } },
  NFSVolumeSource: { numbers: 'server path readOnly' },
  PersistentVolumeClaimTemplate: { numbers: 'metadata spec', fields: { metadata: embedded, spec: embedded } },
  PersistentVolumeClaimVolumeSource: { numbers: 'claimName readOnly' },
  PhotonPersistentDiskVolumeSource: { numbers: 'pdID fsType' },
  PodCertificateProjection: {
    numbers:
      'signerName keyType maxExpirationSeconds credentialBundlePath keyPath certificateChainPath userAnnotations',
    fields: { maxExpirationSeconds: pointer },
  },
  PortworxVolumeSource: { numbers: 'volumeID fsType readOnly' },
  ProjectedVolumeSource: {
    numbers: 'sources defaultMode',
    fields: { defaultMode: { presence: 'pointer', default: 0o644 } },
  },
  QuobyteVolumeSource: { numbers: 'registry volume readOnly user group tenant' },
  RBDVolumeSource: {
    numbers: 'monitors image fsType pool user keyring secretRef readOnly',
    fields: {
      keyring: { default: '/etc/ceph/keyring' },
      pool: { default: 'rbd' },
      user: { default: 'admin' },
    },
  },
  ScaleIOVolumeSource: {
    numbers:
      'gateway system secretRef sslEnabled protectionDomain storagePool storageMode volumeName fsType readOnly',
    fields: { fsType: { default: 'xfs' }, storageMode: { default: 'ThinProvisioned' } },
  },
  SecretProjection: { numbers: '>(name) items 4:optional', fields: { optional: pointer } },
  SecretVolumeSource: {
    numbers: 'secretName items defaultMode optional',
    fields: { defaultMode: { presence: 'pointer', default: 0o644 }, optional: pointer },
  },
  ServiceAccountTokenProjection: {
    numbers: 'audience expirationSeconds path',
    fields: { expirationSeconds: { presence: 'pointer', default: 3600 } },
  },
  StorageOSVolumeSource: { numbers: 'volumeName volumeNamespace fsType readOnly secretRef' },
  Volume: {
    numbers:
      'name >(hostPath emptyDir gcePersistentDisk awsElasticBlockStore gitRepo secret nfs iscsi glusterfs persistentVolumeClaim rbd flexVolume cinder cephfs flocker downwardAPI fc azureFile configMap vsphereVolume quobyte azureDisk photonPersistentDisk portworxVolume scaleIO projected storageos csi ephemeral image)',
    setDefaults(volume) {
      if (Object.keys(volume).every((field) => field === 'name')) volume.emptyDir = {};
      if (volume.image) volume.image.pullPolicy ??= pullPolicyOf(volume.image.reference);
    },
  },
  VolumeProjection: {
    numbers: 'secret downwardAPI configMap serviceAccountToken clusterTrustBundle podCertificate',
  },
  VsphereVirtualDiskVolumeSource: { numbers: 'volumePath fsType storagePolicyName storagePolicyID' },
});
