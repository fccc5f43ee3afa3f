// Where a pod may run: affinity, tolerations, spreading.
import { embedded, enumType, pointer } from '../../../schema/facts.ts';
import { generatedTypes } from '../../../schema/generated-types.ts';
import { taintEffect } from './enums.ts';

const nodeInclusionPolicy = enumType('NodeInclusionPolicy', 'Ignore', 'Honor');

export const placementTypes = generatedTypes('io.k8s.api.core.v1', {
  Affinity: { numbers: 'nodeAffinity podAffinity podAntiAffinity' },
  NodeAffinity: {
    numbers: 'requiredDuringSchedulingIgnoredDuringExecution preferredDuringSchedulingIgnoredDuringExecution',
  },
  NodeSelector: { numbers: 'nodeSelectorTerms', atomic: true },
  NodeSelectorRequirement: {
    numbers: 'key operator values',
    fields: {
      operator: {
        enum: enumType('NodeSelectorOperator', 'In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'),
      },
    },
  },
  NodeSelectorTerm: { numbers: 'matchExpressions matchFields', atomic: true },
  PodAffinity: {
    numbers: 'requiredDuringSchedulingIgnoredDuringExecution preferredDuringSchedulingIgnoredDuringExecution',
  },
  PodAffinityTerm: {
    numbers: 'labelSelector namespaces topologyKey namespaceSelector matchLabelKeys mismatchLabelKeys',
  },
  PodAntiAffinity: {
    numbers: 'requiredDuringSchedulingIgnoredDuringExecution preferredDuringSchedulingIgnoredDuringExecution',
  },
  PreferredSchedulingTerm: { numbers: 'weight preference', fields: { preference: embedded } },
  Toleration: {
    numbers: 'key operator value effect tolerationSeconds',
    fields: {
      effect: { enum: taintEffect },
      operator: { enum: enumType('TolerationOperator', 'Exists', 'Equal', 'Lt', 'Gt') },
      tolerationSeconds: pointer,
    },
  },
  TopologySelectorLabelRequirement: { numbers: 'key values' },
  TopologySelectorTerm: { numbers: 'matchLabelExpressions', atomic: true },
  TopologySpreadConstraint: {
    numbers:
      'maxSkew topologyKey whenUnsatisfiable labelSelector minDomains nodeAffinityPolicy nodeTaintsPolicy matchLabelKeys',
    fields: {
      minDomains: pointer,
      nodeAffinityPolicy: { presence: 'pointer', enum: nodeInclusionPolicy },
      nodeTaintsPolicy: { presence: 'pointer', enum: nodeInclusionPolicy },
      whenUnsatisfiable: {
        enum: enumType('UnsatisfiableConstraintAction', 'DoNotSchedule', 'ScheduleAnyway'),
      },
    },
  },
  WeightedPodAffinityTerm: { numbers: 'weight podAffinityTerm', fields: { podAffinityTerm: embedded } },
});
