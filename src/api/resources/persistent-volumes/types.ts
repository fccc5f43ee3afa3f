// The types of persistent volumes, as far as they are not shared: what the client's models do not say of them.
import { enumType, pointer, quantity } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';
import { accessMode, reclaimPolicy, volumeMode } from '../shared/types/enums.ts';

export const persistentVolumeTypes = generatedTypes('io.k8s.api.core.v1', {
  AzureFilePersistentVolumeSource: {
    numbers: 'secretName shareName readOnly secretNamespace',
    fields: { secretNamespace: pointer },
  },
  CSIPersistentVolumeSource: {
    numbers:
      'driver volumeHandle readOnly fsType volumeAttributes controllerPublishSecretRef nodeStageSecretRef nodePublishSecretRef controllerExpandSecretRef nodeExpandSecretRef',
  },
  CephFSPersistentVolumeSource: { numbers: 'monitors path user secretFile secretRef readOnly' },
  CinderPersistentVolumeSource: { numbers: 'volumeID fsType readOnly secretRef' },
  FlexPersistentVolumeSource: { numbers: 'driver fsType secretRef readOnly options' },
  GlusterfsPersistentVolumeSource: {
    numbers: 'endpoints path readOnly endpointsNamespace',
    fields: { endpointsNamespace: pointer },
  },
  ISCSIPersistentVolumeSource: {
    numbers:
      'targetPortal iqn lun iscsiInterface fsType readOnly portals chapAuthDiscovery 10:secretRef chapAuthSession initiatorName',
    fields: { initiatorName: pointer, iscsiInterface: { default: 'default' } },
  },
  LocalVolumeSource: { numbers: 'path fsType', fields: { fsType: pointer } },
  PersistentVolume: { numbers: 'metadata spec status' },
  PersistentVolumeSpec: {
    numbers:
      'capacity >(gcePersistentDisk awsElasticBlockStore hostPath glusterfs nfs rbd iscsi cinder cephfs fc flocker flexVolume azureFile vsphereVolume quobyte azureDisk photonPersistentDisk portworxVolume scaleIO local storageos csi) accessModes claimRef persistentVolumeReclaimPolicy storageClassName mountOptions volumeMode nodeAffinity volumeAttributesClassName',
    fields: {
      accessModes: { enum: accessMode },
      capacity: quantity,
      persistentVolumeReclaimPolicy: { default: 'Retain', enum: reclaimPolicy },
      volumeAttributesClassName: pointer,
      volumeMode: { presence: 'pointer', default: 'Filesystem', enum: volumeMode },
    },
  },
  PersistentVolumeStatus: {
    numbers: 'phase message reason lastPhaseTransitionTime',
    fields: {
      phase: {
        default: 'Pending',
        enum: enumType('PersistentVolumePhase', 'Pending', 'Available', 'Bound', 'Released', 'Failed'),
      },
    },
  },
  RBDPersistentVolumeSource: {
    numbers: 'monitors image fsType pool user keyring secretRef readOnly',
    fields: {
      keyring: { default: '/etc/ceph/keyring' },
      pool: { default: 'rbd' },
      user: { default: 'admin' },
    },
  },
  ScaleIOPersistentVolumeSource: {
    numbers:
      'gateway system secretRef sslEnabled protectionDomain storagePool storageMode volumeName fsType readOnly',
    fields: { fsType: { default: 'xfs' }, storageMode: { default: 'ThinProvisioned' } },
  },
  StorageOSPersistentVolumeSource: { numbers: 'volumeName volumeNamespace fsType readOnly secretRef' },
  VolumeNodeAffinity: { numbers: 'required' },
});
