// How the tables of default roles are written: rules as words.
import type { PolicyRule } from '../../api/generated/types.ts';
import { present } from '../../base/present.ts';

export const READ = 'get list watch';
export const WRITE = 'create delete deletecollection patch update';
export const ALL = 'create delete deletecollection get list patch update watch';

/** Words are separated by blanks; `core` is the group without a name. */
export function rule(verbs: string, groups: string, resources: string, names?: string): PolicyRule {
  return present({
    verbs: verbs.split(' '),
    apiGroups: groups.split(' ').map((group) => (group === 'core' ? '' : group)),
    resources: resources.split(' '),
    resourceNames: names?.split(' '),
  });
}

export const paths = (urls: string): PolicyRule => ({ verbs: ['get'], nonResourceURLs: urls.split(' ') });

/** To tell events and to count their repetitions. */
export const EVENTS = rule('create patch update', 'core events.k8s.io', 'events');
