// What a check of pod security is, and how its findings are put into words. Follows
// pod-security-admission policy/checks.go and helpers.go.
import type { Container, ObjectMeta, PodSpec, SecurityContext } from '../../../api/generated/types.ts';

export interface Violation {
  /** Short: what is wrong. */
  reason: string;
  /** Who does it, with which value. */
  detail: string;
}

/** Undefined: nothing is wrong. */
export type Check = (spec: PodSpec, metadata: ObjectMeta) => Violation | undefined;

/** The parts of a container that checks look at; ephemeral ones have them too. */
export type CheckedContainer = Pick<
  Container,
  'name' | 'ports' | 'securityContext' | 'livenessProbe' | 'readinessProbe' | 'startupProbe' | 'lifecycle'
>;

export function containersOf(spec: PodSpec): CheckedContainer[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])];
}

/** The names of the containers of which `isBad` holds. */
export function badContainers(
  spec: PodSpec,
  isBad: (context: SecurityContext, container: CheckedContainer) => boolean,
): string[] {
  return containersOf(spec)
    .filter((container) => isBad(container.securityContext ?? {}, container))
    .map(({ name }) => name);
}

export function quoted(values: readonly string[]): string {
  return values.map((value) => JSON.stringify(value)).join(', ');
}

export function plural(one: string, many: string, count: number): string {
  return count === 1 ? one : many;
}

/** `container "a"`, `containers "a", "b"`. */
export function named(names: readonly string[]): string {
  return `${plural('container', 'containers', names.length)} ${quoted(names)}`;
}

/** `pod and container "a"`. */
export function setters(pod: boolean, names: readonly string[]): string {
  return [...(pod ? ['pod'] : []), ...(names.length > 0 ? [named(names)] : [])].join(' and ');
}

export function sortedSet(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
