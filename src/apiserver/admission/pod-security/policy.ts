// What a namespace's labels demand of its pods, and what is wrong with a pod by that. Follows
// pod-security-admission api/helpers.go. Every version of the standards is checked as the latest one.
import { type FieldError, invalidValue } from '../../../api/errors.ts';
import type { ObjectMeta, PodSpec } from '../../../api/generated/types.ts';
import { BASELINE_CHECKS } from './baseline.ts';
import type { Check } from './check.ts';
import { RESTRICTED_CHECKS } from './restricted.ts';

export type Level = 'privileged' | 'baseline' | 'restricted';
export type Mode = 'enforce' | 'audit' | 'warn';

/** A level and the version of the standards that it is of. */
export interface Demand {
  level: Level;
  version: string;
}

const PREFIX = 'pod-security.kubernetes.io/';
const LEVELS: readonly Level[] = ['privileged', 'baseline', 'restricted'];
const CHECKS: Readonly<Record<Level, readonly Check[]>> = {
  privileged: [],
  baseline: BASELINE_CHECKS,
  restricted: RESTRICTED_CHECKS,
};
const VERSION = /^(latest|v1\.\d+)$/;

function isLevel(text: string): text is Level {
  return LEVELS.some((level) => level === text);
}

/**
 * What a mode demands. Warnings follow `enforce` where nothing is said of them, so that the author of a StatefulSet
 * hears of it before its pods are refused. A level that is no level is enforced as the strictest.
 */
export function demandOf(labels: Record<string, string> | undefined, mode: Mode): Demand {
  const own = labels?.[PREFIX + mode];
  if (own === undefined && mode === 'warn') return demandOf(labels, 'enforce');
  const level = own ?? 'privileged';
  const fallback = mode === 'enforce' ? 'restricted' : 'privileged';
  return {
    level: isLevel(level) ? level : fallback,
    version: labels?.[`${PREFIX}${mode}-version`] ?? 'latest',
  };
}

/** `restricted:latest`. */
export function describeDemand({ level, version }: Demand): string {
  return `${level}:${version}`;
}

export interface Findings {
  /** What is wrong, in a few words. */
  reasons: string;
  /** The same with who does it. */
  details: string;
}

/** What is wrong with a pod; undefined: nothing. */
export function findingsOf({ level }: Demand, spec: PodSpec, metadata: ObjectMeta): Findings | undefined {
  const violations = CHECKS[level].flatMap((check) => check(spec, metadata) ?? []);
  if (violations.length === 0) return undefined;
  return {
    reasons: violations.map(({ reason }) => reason).join(', '),
    details: violations.map(({ reason, detail }) => `${reason} (${detail})`).join(', '),
  };
}

/** What is wrong with a namespace's own labels. */
export function labelErrors(labels: Record<string, string> | undefined): FieldError[] {
  const modes: readonly Mode[] = ['enforce', 'audit', 'warn'];
  return modes.flatMap((mode) => {
    const level = labels?.[PREFIX + mode];
    const version = labels?.[`${PREFIX}${mode}-version`];
    const path = (label: string): string => `metadata.labels[${PREFIX}${label}]`;
    return [
      ...(level !== undefined && !isLevel(level)
        ? [invalidValue(path(mode), level, `must be one of ${LEVELS.join(', ')}`)]
        : []),
      ...(version !== undefined && !VERSION.test(version)
        ? [invalidValue(path(`${mode}-version`), version, 'must be "latest" or "v1.x"')]
        : []),
    ];
  });
}
