// The verbs that an ordinary stored resource answers.
import type { Verb } from '../../resource.ts';

export const ALL_VERBS: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];
