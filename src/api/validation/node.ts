// What may stand in a Node (pkg/apis/core/validation, ValidateNode…).
import { duplicate, type FieldError, forbiddenField } from '../errors.ts';
import type { Node, Taint } from '../generated/types.ts';
import { labelValue } from '../names.ts';
import { checked, labelName, oneOf, quantity } from './field-rules.ts';

const EFFECTS: readonly string[] = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validateNode(node: Node): FieldError[] {
  return [
    ...validateTaints(node.spec.taints ?? [], 'spec.taints'),
    ...Object.entries(node.status?.capacity ?? {}).flatMap(([resource, amount]) =>
      quantity(amount, `status.capacity[${resource}]`),
    ),
  ];
}

function validateTaints(taints: readonly Taint[], path: string): FieldError[] {
  const seen = new Set<string>();
  return taints.flatMap((taint, index) => {
    const at = `${path}[${index}]`;
    const id = `${taint.key}:${taint.effect}`;
    const again = seen.has(id) ? [duplicate(at, taint)] : [];
    seen.add(id);
    return [
      ...labelName(taint.key, `${at}.key`),
      ...checked(taint.value ?? '', `${at}.value`, labelValue),
      ...oneOf(taint.effect, `${at}.effect`, EFFECTS),
      ...again,
    ];
  });
}

export function validateNodeUpdate(node: Node, old: Node): FieldError[] {
  const errors = validateNode(node);
  const { spec } = node;
  if (old.spec.providerID && spec.providerID !== old.spec.providerID) {
    errors.push(
      forbiddenField('spec.providerID', 'node updates may not change providerID except from "" to valid'),
    );
  }
  if (old.spec.podCIDR && spec.podCIDR !== old.spec.podCIDR) {
    errors.push(
      forbiddenField('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'),
    );
  }
  return errors;
}
