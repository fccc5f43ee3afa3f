// The types of stateful sets, as far as they are not shared: what the client's models do not say of them.
import { embedded, enumType, mergedBy, pointer, written } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const statefulSetTypes = generatedTypes('io.k8s.api.apps.v1', {
  RollingUpdateStatefulSetStrategy: {
    numbers: 'partition maxUnavailable',
    fields: { maxUnavailable: pointer, partition: pointer },
  },
  StatefulSet: {
    numbers: 'metadata spec status',
    setDefaults({ spec }) {
      spec.updateStrategy ??= {};
    },
  },
  StatefulSetCondition: { numbers: 'type status lastTransitionTime reason message' },
  StatefulSetOrdinals: { numbers: 'start', fields: { start: written } },
  StatefulSetPersistentVolumeClaimRetentionPolicy: {
    numbers: 'whenDeleted whenScaled',
    fields: { whenDeleted: { default: 'Retain' }, whenScaled: { default: 'Retain' } },
  },
  StatefulSetSpec: {
    numbers:
      'replicas selector template volumeClaimTemplates serviceName podManagementPolicy updateStrategy revisionHistoryLimit minReadySeconds persistentVolumeClaimRetentionPolicy ordinals',
    fields: {
      persistentVolumeClaimRetentionPolicy: { default: {} },
      podManagementPolicy: {
        default: 'OrderedReady',
        enum: enumType('PodManagementPolicyType', 'OrderedReady', 'Parallel'),
      },
      replicas: { presence: 'pointer', default: 1 },
      revisionHistoryLimit: { presence: 'pointer', default: 10 },
      serviceName: written,
      template: embedded,
      updateStrategy: embedded,
      volumeClaimTemplates: { verbatim: true },
    },
  },
  StatefulSetStatus: {
    numbers:
      'observedGeneration replicas readyReplicas currentReplicas updatedReplicas currentRevision updateRevision 9:collisionCount conditions availableReplicas',
    fields: { availableReplicas: written, collisionCount: pointer, conditions: mergedBy('type') },
  },
  StatefulSetUpdateStrategy: {
    numbers: 'type rollingUpdate',
    fields: {
      type: { enum: enumType('StatefulSetUpdateStrategyType', 'RollingUpdate', 'OnDelete', 'Recreate') },
    },
    setDefaults(strategy) {
      if (!strategy.type) {
        strategy.type = 'RollingUpdate';
        strategy.rollingUpdate ??= {};
      }
      if (strategy.type !== 'RollingUpdate' || !strategy.rollingUpdate) return;
      strategy.rollingUpdate.partition ??= 0;
      strategy.rollingUpdate.maxUnavailable ??= 1;
    },
  },
});
