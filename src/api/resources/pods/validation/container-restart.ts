// Rules of what a container does when it ends, and when its resources change: its own restart policy, the exit codes
// that overrule it, and its resize policy (pkg/apis/core/validation, validateContainerRestartPolicy,
// validateResizePolicy).
import {
  duplicate,
  type FieldError,
  invalidValue,
  notSupported,
  required,
  tooMany,
} from '../../../errors.ts';
import type { Container, ContainerResizePolicy, ContainerRestartRule } from '../../../generated/types.ts';

const POLICIES: readonly string[] = ['Always', 'Never', 'OnFailure'];
const ACTIONS: readonly string[] = ['Restart', 'RestartAllContainers'];
const OPERATORS: readonly string[] = ['In', 'NotIn'];
const MAX_RULES = 20;
const MAX_EXIT_CODES = 255;
const RESIZABLE: readonly string[] = ['cpu', 'memory'];
const RESIZE_POLICIES: readonly string[] = ['NotRequired', 'RestartContainer'];

/** Of any container. */
export function validateRestartPolicy(container: Container, path: string): FieldError[] {
  const { restartPolicy, restartPolicyRules: rules = [] } = container;
  const at = `${path}.restartPolicy`;
  if (restartPolicy === undefined) {
    if (rules.length === 0) return [];
    return [required(at, 'must specify restartPolicy when restart rules are used')];
  }
  const errors = POLICIES.includes(restartPolicy) ? [] : [notSupported(at, restartPolicy, POLICIES)];
  const list = `${path}.restartPolicyRules`;
  if (rules.length > MAX_RULES) errors.push(tooMany(list, rules.length, MAX_RULES));
  for (const [index, rule] of rules.entries()) errors.push(...validateRule(rule, `${list}[${index}]`));
  return errors;
}

function validateRule({ action, exitCodes }: ContainerRestartRule, path: string): FieldError[] {
  const errors = ACTIONS.includes(action) ? [] : [notSupported(`${path}.action`, action, ACTIONS)];
  if (!exitCodes) return [...errors, required(`${path}.exitCodes`, 'must be specified')];
  const { operator, values = [] } = exitCodes;
  if (!OPERATORS.includes(operator)) {
    errors.push(notSupported(`${path}.exitCodes.operator`, operator, OPERATORS));
  }
  const at = `${path}.exitCodes.values`;
  if (values.length === 0) errors.push(required(at, 'must specify at least one exit code'));
  if (values.length > MAX_EXIT_CODES) errors.push(tooMany(at, values.length, MAX_EXIT_CODES));
  return errors;
}

/** @param podPolicy the restart policy of the pod, which rules out a restart for a new size. */
export function validateResizePolicies(
  policies: readonly ContainerResizePolicy[],
  podPolicy: string | undefined,
  path: string,
): FieldError[] {
  const seen = new Set<string>();
  return policies.flatMap(({ resourceName, restartPolicy }, index) => {
    const errors = seen.has(resourceName) ? [duplicate(`${path}[${index}]`, resourceName)] : [];
    seen.add(resourceName);
    if (!resourceName) errors.push(required(path));
    else if (!RESIZABLE.includes(resourceName)) errors.push(notSupported(path, resourceName, RESIZABLE));
    if (!restartPolicy) errors.push(required(path));
    else if (!RESIZE_POLICIES.includes(restartPolicy)) {
      errors.push(notSupported(path, restartPolicy, RESIZE_POLICIES));
    }
    if (podPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      const why = "must be 'NotRequired' when `restartPolicy` is 'Never'";
      errors.push(invalidValue(path, restartPolicy, why));
    }
    return errors;
  });
}
