// What may stand in a CSINode (pkg/apis/storage/validation): each driver once, and of a driver that is there only how
// many volumes it takes may change.
import { duplicate, type FieldError, invalidValue, required } from '../../errors.ts';
import type { CSINode, CSINodeDriver } from '../../generated/types.ts';
import { qualifiedName } from '../../names.ts';
import { csiDriverName } from '../../validation/csi-names.ts';
import { semanticallyEqual } from '../../validation/equality.ts';
import { IMMUTABLE, nonNegative } from '../../validation/field-rules.ts';

const MAX_NODE_ID = 192;

export function validateCsiNode({ spec }: CSINode): FieldError[] {
  const names = new Set<string>();
  return (spec.drivers ?? []).flatMap((driver, index) => {
    const path = `spec.drivers[${index}]`;
    const errors = validateDriver(driver, path);
    if (names.has(driver.name)) errors.push(duplicate(`${path}.name`, driver.name));
    names.add(driver.name);
    return errors;
  });
}

function validateDriver(
  { name, nodeID, allocatable, topologyKeys = [] }: CSINodeDriver,
  path: string,
): FieldError[] {
  const errors = csiDriverName(name, `${path}.name`);
  if (!nodeID) errors.push(required(`${path}.nodeID`));
  else if (nodeID.length > MAX_NODE_ID) {
    errors.push(invalidValue(`${path}.nodeID`, nodeID, `must be ${MAX_NODE_ID} characters or less`));
  }
  errors.push(...nonNegative(allocatable?.count, `${path}.allocatable.count`));
  const seen = new Set<string>();
  for (const key of topologyKeys) {
    if (!key) errors.push(required(path));
    if (seen.has(key)) errors.push(duplicate(path, key));
    seen.add(key);
    errors.push(...qualifiedName(key).map((reason) => invalidValue(path, topologyKeys, reason)));
  }
  return errors;
}

export function validateCsiNodeUpdate(node: CSINode, old: CSINode): FieldError[] {
  const errors = validateCsiNode(node);
  const fixed = ({ allocatable: _, ...rest }: CSINodeDriver): object => rest;
  for (const before of old.spec.drivers ?? []) {
    const now = node.spec.drivers?.find(({ name }) => name === before.name);
    if (!now || semanticallyEqual(fixed(now), fixed(before))) continue;
    errors.push(invalidValue('CSINodeDriver', now, IMMUTABLE));
  }
  return errors;
}
