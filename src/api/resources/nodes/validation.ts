// What may stand in a Node, and what may change (pkg/apis/core/validation, ValidateNode…).
import { duplicate, type FieldError, forbiddenField, invalidValue } from '../../errors.ts';
import type { Node, Taint } from '../../generated/types.ts';
import { labelValue } from '../../names.ts';
import { semanticallyEqual } from '../../validation/equality.ts';
import { labelName, oneOf } from '../../validation/field-rules.ts';
import { addressRange, isDualStack } from '../../validation/ip-rules.ts';
import { resourceAmount } from '../../validation/resource-names.ts';

const EFFECTS: readonly string[] = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validateNode(node: Node): FieldError[] {
  return [
    ...validateTaints(node.spec.taints ?? [], 'metadata.taints'),
    ...validateAmounts(node),
    ...validatePodRanges(node.spec.podCIDRs ?? [], 'spec.podCIDRs'),
  ];
}

function validateAmounts({ status }: Node): FieldError[] {
  return (['capacity', 'allocatable'] as const).flatMap((field) =>
    Object.entries(status?.[field] ?? {}).flatMap(([resource, amount]) =>
      resourceAmount(resource, amount, `status.${field}.${resource}`),
    ),
  );
}

function validateTaints(taints: readonly Taint[], path: string): FieldError[] {
  const seen = new Set<string>();
  return taints.flatMap((taint, index) => {
    const at = `${path}[${index}]`;
    const errors = labelName(taint.key, `${at}.key`);
    const reasons = labelValue(taint.value ?? '');
    if (reasons.length > 0) errors.push(invalidValue(`${at}.value`, taint.value, reasons.join(';')));
    errors.push(...oneOf(taint.effect, `${at}.effect`, EFFECTS));
    const id = `${taint.key}:${taint.effect}`;
    if (seen.has(id)) errors.push(duplicate(at, taint, 'taints must be unique by key and effect pair'));
    seen.add(id);
    return errors;
  });
}

/** One range of each family, at most. */
function validatePodRanges(ranges: readonly string[], path: string): FieldError[] {
  const errors = ranges.flatMap((range, index) => addressRange(range, `${path}[${index}]`));
  if (ranges.length < 2) return errors;
  if (ranges.length > 2 || !isDualStack(ranges.map((range) => range.split('/')[0] ?? ''))) {
    errors.push(invalidValue(path, ranges, 'may specify no more than one CIDR for each IP family'));
  }
  const seen = new Set<string>();
  for (const [index, range] of ranges.entries()) {
    if (seen.has(range)) errors.push(duplicate(`${path}[${index}]`, range));
    seen.add(range);
  }
  return errors;
}

export function validateNodeUpdate(node: Node, old: Node): FieldError[] {
  const { spec } = node;
  const errors = validateAmounts(node);
  errors.push(...validateNodeAddresses(node));
  if (old.spec.podCIDRs?.length && !semanticallyEqual(spec.podCIDRs, old.spec.podCIDRs)) {
    errors.push(
      forbiddenField('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'),
    );
  }
  if (old.spec.providerID && spec.providerID !== old.spec.providerID) {
    errors.push(
      forbiddenField('spec.providerID', 'node updates may not change providerID except from "" to valid'),
    );
  }
  errors.push(...validateTaints(spec.taints ?? [], 'metadata.taints'));
  if ((spec.externalID ?? '') !== (old.spec.externalID ?? '')) {
    errors.push(forbiddenField('spec.externalID', 'may not be updated'));
  }
  return errors;
}

function validateNodeAddresses({ status }: Node): FieldError[] {
  const seen = new Set<string>();
  return (status?.addresses ?? []).flatMap((address, index) => {
    const id = `${address.type}/${address.address}`;
    const again = seen.has(id);
    seen.add(id);
    return again ? [duplicate(`status.addresses[${index}]`, asUpstreamPrints(address))] : [];
  });
}

/** Upstream prints its own type here, not the manifest's. */
function asUpstreamPrints({ type, address }: { type: string; address: string }): object {
  return { Type: type, Address: address };
}
