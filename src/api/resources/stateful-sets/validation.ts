// What may stand in a StatefulSet, and what may change (pkg/apis/apps/validation, ValidateStatefulSet…). Stricter than
// upstream in two things that would only show later, as pods that cannot be made: the whole template is checked, and
// so are the claim templates (claim-templates.ts), which may grow, as upstream's may not.
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '../../errors.ts';
import type {
  LabelSelector,
  PodTemplateSpec,
  StatefulSet,
  StatefulSetSpec,
  StatefulSetUpdateStrategy,
} from '../../generated/types.ts';
import { dns1123Label } from '../../names.ts';
import { selectorOf, validateLabelSelector } from '../../selectors.ts';
import { differingFields } from '../../validation/equality.ts';
import { nonNegative, oneOf, optionalLabel } from '../../validation/field-rules.ts';
import { intOrPercent } from '../../validation/int-or-percent.ts';
import { validatePodTemplateSpec } from '../pods/validation/template.ts';
import { validateClaimTemplates, validateClaimTemplatesUpdate } from './claim-templates.ts';
import { validateStatefulSetOptions } from './options-validation.ts';

/** Pods carry `controller-revision-hash: <set>-<10 characters>`, and a label's value has at most 63 characters. */
const MAX_NAME = 52;

const MUTABLE: readonly string[] = [
  'minReadySeconds',
  'ordinals',
  'persistentVolumeClaimRetentionPolicy',
  'replicas',
  'revisionHistoryLimit',
  'template',
  'updateStrategy',
  'volumeClaimTemplates',
];

/** The reasons why a set cannot have this name: its pods are named after it, and their labels too. */
export function statefulSetName(name: string): string[] {
  const reasons = dns1123Label(name);
  if (reasons.length === 0 && name.length > MAX_NAME) {
    reasons.push(
      `must be no more than ${MAX_NAME} characters: the name and a revision's hash together are the value of ` +
        "the pods' label controller-revision-hash, which has room for 63",
    );
  }
  return reasons;
}

export function validateStatefulSet(set: StatefulSet): FieldError[] {
  const { spec } = set;
  return [
    ...validateStatefulSetOptions(set),
    ...validateSpec(spec),
    ...optionalLabel(spec.serviceName, 'spec.serviceName'),
    ...validateClaimTemplates(spec.volumeClaimTemplates ?? [], 'spec.volumeClaimTemplates'),
  ];
}

function validateSpec(spec: StatefulSetSpec): FieldError[] {
  const policy = spec.podManagementPolicy;
  const errors: FieldError[] = [];
  if (!policy) errors.push(required('spec.podManagementPolicy'));
  else if (policy !== 'OrderedReady' && policy !== 'Parallel') {
    errors.push(invalidValue('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'"));
  }
  const retention = spec.persistentVolumeClaimRetentionPolicy;
  const retentionPath = 'spec.persistentVolumeClaimRetentionPolicy';
  return [
    ...errors,
    ...validateUpdateStrategy(spec.updateStrategy ?? {}, 'spec.updateStrategy'),
    ...(retention
      ? [
          ...oneOf(retention.whenDeleted, `${retentionPath}.whenDeleted`, ['Retain', 'Delete']),
          ...oneOf(retention.whenScaled, `${retentionPath}.whenScaled`, ['Retain', 'Delete']),
        ]
      : []),
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(spec.ordinals?.start, 'spec.ordinals.start'),
    ...nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    ...validateSelectorAndTemplate(spec),
  ];
}

function validateUpdateStrategy(strategy: StatefulSetUpdateStrategy, path: string): FieldError[] {
  const { type, rollingUpdate } = strategy;
  switch (type) {
    case undefined:
    case '':
      return [required(path)];
    case 'OnDelete':
    case 'Recreate':
      return rollingUpdate === undefined
        ? []
        : [
            invalidValue(
              `${path}.rollingUpdate`,
              rollingUpdate,
              "only allowed for updateStrategy 'RollingUpdate'",
            ),
          ];
    case 'RollingUpdate': {
      const maximum = rollingUpdate?.maxUnavailable;
      const none = maximum === 0 || maximum === '0%';
      return [
        ...nonNegative(rollingUpdate?.partition, `${path}.rollingUpdate.partition`),
        ...intOrPercent(maximum, `${path}.rollingUpdate.maxUnavailable`),
        ...(none ? [invalidValue(`${path}.rollingUpdate.maxUnavailable`, maximum, 'cannot be 0')] : []),
      ];
    }
    default:
      return [invalidValue(path, strategy, "must be 'RollingUpdate', 'OnDelete' or 'Recreate'")];
  }
}

function isEmpty(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length === 0 && !selector.matchExpressions?.length;
}

function validateSelectorAndTemplate(spec: StatefulSetSpec): FieldError[] {
  // Clients may leave out what the types call required.
  const selector: LabelSelector | undefined = spec.selector;
  if (selector === undefined) return [required('spec.selector'), ...validateTemplate(spec)];
  const errors = validateLabelSelector(selector, 'spec.selector');
  if (errors.length === 0) {
    if (isEmpty(selector)) {
      errors.push(invalidValue('spec.selector', selector, 'empty selector is invalid for statefulset'));
    } else if (!selectorOf(selector).matches(spec.template.metadata?.labels ?? {})) {
      errors.push(
        invalidValue(
          'spec.template.metadata.labels',
          spec.template.metadata?.labels ?? {},
          '`selector` does not match template `labels`',
        ),
      );
    }
  }
  return [...errors, ...validateTemplate(spec)];
}

function validateTemplate(spec: StatefulSetSpec): FieldError[] {
  const template: PodTemplateSpec = spec.template;
  const path = 'spec.template';
  const claims = (spec.volumeClaimTemplates ?? []).flatMap((claim) => claim.metadata.name ?? []);
  const errors = validatePodTemplateSpec(template, path, claims);
  const policy = template.spec?.restartPolicy;
  // A restartPolicy that does not exist at all has been told already.
  if (policy === 'OnFailure' || policy === 'Never') {
    errors.push(notSupported(`${path}.spec.restartPolicy`, policy, ['Always']));
  }
  if (template.spec?.activeDeadlineSeconds !== undefined) {
    errors.push(
      forbiddenField(
        `${path}.spec.activeDeadlineSeconds`,
        'activeDeadlineSeconds in StatefulSet is not Supported',
      ),
    );
  }
  return errors;
}

export function validateStatefulSetUpdate(set: StatefulSet, old: StatefulSet): FieldError[] {
  const errors = [
    ...validateStatefulSetOptions(set, old),
    ...validateSpec(set.spec),
    ...validateClaimTemplatesUpdate(
      set.spec.volumeClaimTemplates ?? [],
      old.spec.volumeClaimTemplates ?? [],
      'spec.volumeClaimTemplates',
    ),
  ];
  if (differingFields(set.spec, old.spec).some((field) => !MUTABLE.includes(field))) {
    errors.push(
      forbiddenField(
        'spec',
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', " +
          "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ),
    );
  }
  return errors;
}

/** No count of pods in some state is above the count of all pods. */
export function validateStatefulSetStatusUpdate(set: StatefulSet, old: StatefulSet): FieldError[] {
  const status = set.status ?? { replicas: 0 };
  const errors = [
    ...nonNegative(status.replicas, 'status.replicas'),
    ...nonNegative(status.observedGeneration, 'status.observedGeneration'),
    ...nonNegative(status.collisionCount, 'status.collisionCount'),
  ];
  for (const field of ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'] as const) {
    const count = status[field] ?? 0;
    errors.push(...nonNegative(count, `status.${field}`));
    if (count > status.replicas) {
      errors.push(invalidValue(`status.${field}`, count, 'cannot be greater than status.replicas'));
    }
  }
  if ((status.availableReplicas ?? 0) > (status.readyReplicas ?? 0)) {
    errors.push(
      invalidValue(
        'status.availableReplicas',
        status.availableReplicas,
        'cannot be greater than status.readyReplicas',
      ),
    );
  }
  if ((status.collisionCount ?? 0) < (old.status?.collisionCount ?? 0)) {
    errors.push(invalidValue('status.collisionCount', status.collisionCount ?? 0, 'cannot be decremented'));
  }
  return errors;
}
