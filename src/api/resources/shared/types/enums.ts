// Enum types that fields of several kinds have (+enum in kubernetes/api, types.go of each group).

import { enumType } from '../../../schema/facts.ts';
import { SIGNALS } from '../../../signals.ts';

export const accessMode = enumType(
  'PersistentVolumeAccessMode',
  'ReadWriteOnce',
  'ReadOnlyMany',
  'ReadWriteMany',
  'ReadWriteOncePod',
);
export const volumeMode = enumType('PersistentVolumeMode', 'Block', 'Filesystem');
export const reclaimPolicy = enumType('PersistentVolumeReclaimPolicy', 'Recycle', 'Delete', 'Retain');
export const preemptionPolicy = enumType('PreemptionPolicy', 'PreemptLowerPriority', 'Never');
export const protocol = enumType('Protocol', 'TCP', 'UDP', 'SCTP');
export const pullPolicy = enumType('PullPolicy', 'Always', 'Never', 'IfNotPresent');
export const signal = enumType('Signal', ...SIGNALS);
export const taintEffect = enumType('TaintEffect', 'NoSchedule', 'PreferNoSchedule', 'NoExecute');
