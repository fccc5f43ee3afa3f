// What the processes of a pod may do.
import { enumType, pointer } from '../../../schema/facts.ts';
import { generatedTypes } from '../../../schema/generated-types.ts';

export const securityTypes = generatedTypes('io.k8s.api.core.v1', {
  AppArmorProfile: {
    numbers: 'type localhostProfile',
    fields: {
      localhostProfile: pointer,
      type: { enum: enumType('AppArmorProfileType', 'Unconfined', 'RuntimeDefault', 'Localhost') },
    },
  },
  Capabilities: { numbers: 'add drop' },
  PodSecurityContext: {
    numbers:
      'seLinuxOptions runAsUser runAsNonRoot supplementalGroups fsGroup runAsGroup sysctls windowsOptions fsGroupChangePolicy seccompProfile appArmorProfile supplementalGroupsPolicy seLinuxChangePolicy',
    fields: {
      fsGroup: pointer,
      fsGroupChangePolicy: {
        presence: 'pointer',
        enum: enumType('PodFSGroupChangePolicy', 'OnRootMismatch', 'Always'),
      },
      runAsGroup: pointer,
      runAsNonRoot: pointer,
      runAsUser: pointer,
      seLinuxChangePolicy: pointer,
      supplementalGroupsPolicy: {
        presence: 'pointer',
        enum: enumType('SupplementalGroupsPolicy', 'Merge', 'Strict'),
      },
    },
  },
  SELinuxOptions: { numbers: 'user role type level' },
  SeccompProfile: {
    numbers: 'type localhostProfile',
    fields: {
      localhostProfile: pointer,
      type: { enum: enumType('SeccompProfileType', 'Unconfined', 'RuntimeDefault', 'Localhost') },
    },
  },
  SecurityContext: {
    numbers:
      'capabilities privileged seLinuxOptions runAsUser runAsNonRoot readOnlyRootFilesystem allowPrivilegeEscalation runAsGroup procMount windowsOptions seccompProfile appArmorProfile',
    fields: {
      allowPrivilegeEscalation: pointer,
      privileged: pointer,
      procMount: { presence: 'pointer', enum: enumType('ProcMountType', 'Default', 'Unmasked') },
      readOnlyRootFilesystem: pointer,
      runAsGroup: pointer,
      runAsNonRoot: pointer,
      runAsUser: pointer,
    },
  },
  Sysctl: { numbers: 'name value' },
  WindowsSecurityContextOptions: {
    numbers: 'gmsaCredentialSpecName gmsaCredentialSpec runAsUserName hostProcess',
    fields: {
      gmsaCredentialSpec: pointer,
      gmsaCredentialSpecName: pointer,
      hostProcess: pointer,
      runAsUserName: pointer,
    },
  },
});
