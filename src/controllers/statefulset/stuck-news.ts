// When a set's waiting is worth an event: once, when it begins to wait for something that does not pass by itself,
// and again when that is another thing or another reason. The condition is the memory, so a restart repeats nothing.
import type { StatefulSetCondition, StatefulSetStatus } from '../../api/generated/types.ts';

const progressing = (status: StatefulSetStatus | undefined): StatefulSetCondition | undefined =>
  status?.conditions?.find(({ type }) => type === 'Progressing');

/** Who waits for whom, without why: the details may change (a longer back-off) without being news. */
const head = (condition: StatefulSetCondition | undefined): string =>
  condition?.message?.split(': ')[0] ?? '';

/** The sentence for an event about the change from one status to the next, if it deserves one. */
export function stuckNews(old: StatefulSetStatus | undefined, status: StatefulSetStatus): string | undefined {
  const before = progressing(old);
  const now = progressing(status);
  if (now?.status !== 'False') return undefined;
  const known = before?.status === 'False' && before.reason === now.reason && head(before) === head(now);
  return known ? undefined : now.message;
}
