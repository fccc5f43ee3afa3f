// The conditions in the status of objects of any kind, looked up: is it there, is it True, is it Ready. What a condition
// may say is validation/conditions.ts.

interface Condition {
  type: string;
  status: string;
}

/** An object that reports conditions, of whichever type those of its kind are. */
interface WithConditions<C extends Condition> {
  status?: { conditions?: readonly C[] };
}

/** The object's condition of a type, if it has one (`FindStatusCondition` upstream). */
export function conditionOf<C extends Condition>(
  object: WithConditions<C> | undefined,
  type: string,
): C | undefined {
  return object?.status?.conditions?.find((condition) => condition.type === type);
}

/** Whether the object's condition of a type is True (`IsStatusConditionTrue`). */
export function isConditionTrue(object: WithConditions<Condition> | undefined, type: string): boolean {
  return conditionOf(object, type)?.status === 'True';
}

/** Whether the object, a pod or a node, is Ready. */
export function isReady(object: WithConditions<Condition> | undefined): boolean {
  return isConditionTrue(object, 'Ready');
}
