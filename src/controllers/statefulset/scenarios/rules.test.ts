// The rules that the controller holds, and who proves each: the scenarios here that carry its name in `rule`, or a
// test elsewhere. A rule that nobody proves, and a scenario that proves no rule, fail.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** What a scenario proves. */
const RULES: Readonly<Record<string, string>> = {
  'identity-names': 'A pod is named <set>-<ordinal>, its claims <template>-<set>-<ordinal>',
  'identity-labels': 'A pod is labelled with its name, its index and its revision; a lost name is put back',
  hostname: 'The hostname is the pod’s name, the subdomain the service’s, both given at creation only',
  'claim-volumes': 'A claim template replaces a template volume of its name',
  'at-most-one': 'At most one pod of a name: a terminating one is waited for, whatever holds it',
  'lost-node': 'A pod on a lost node stays Terminating; it is never deleted by force',
  stranger: 'A pod controlled by somebody else is left alone',
  'replace-terminal-pods': 'A Failed or Succeeded pod is deleted and made again under its name',
  'missing-claims': 'A Pending pod gets its missing claims made again',
  'creation-in-order': 'What is missing is created from the lowest ordinal up',
  'creation-waits':
    'OrderedReady stops at the first that is Terminating, not Running and Ready, or not Available',
  'condemned-claims-first': 'The owners of a condemned pod’s claims are put right before it is deleted',
  'scale-down-order': 'Condemned pods go from the highest ordinal down, OrderedReady one at a time',
  'scale-down-held': 'OrderedReady: an unhealthy pod other than the first unhealthy one holds the rest',
  'scaling-before-updating': 'Scaling comes before updating',
  'update-order': 'An update deletes from the highest ordinal down, one pod at a time',
  'update-partition': 'An update ends at start + partition',
  'update-waits': 'An update waits until the pod that was made again is healthy',
  'max-unavailable': 'Up to maxUnavailable pods are down for an update, those that are down anyway included',
  'on-delete': 'OnDelete never deletes; who is deleted is made at the newest revision',
  recreate: 'Recreate deletes all old pods at once, waits until they are gone, and creates by the policy',
  parallel: 'Parallel creates and deletes without waiting',
  'parallel-broken-first': 'Parallel with maxUnavailable: pods that are down and old go first',
  'deleted-set': 'A set with a deletionTimestamp only has its status updated',
  'stale-claims': 'A claim of an earlier pod, or one that is being deleted, holds creation until it is gone',
  'start-ordinal': 'Ordinals go from ordinals.start to ordinals.start + replicas - 1',
  'revision-contents':
    'A ControllerRevision holds a patch of the template, is named by its hash, owned and numbered',
  rollback: 'A roll back to an equal revision uses it again under a new number',
  'revision-history': 'Live revisions are never trimmed, the others to revisionHistoryLimit',
  'revision-of-a-new-pod':
    'Below start + partition a pod is made at the current revision, else at the update revision',
  'update-complete': 'When all are updated and ready, the update revision becomes the current one',
  'status-counts': 'status.replicas counts the pods there are',
  'available-counts': 'A pod is available when it has been ready for minReadySeconds',
  'retention-retain': 'Retain: the set owns no claim, and lets go of those that it owned',
  'retention-when-deleted': 'whenDeleted Delete: the set controls the claims, beside other owners',
  'retention-when-scaled': 'whenScaled Delete: a condemned pod controls its claims, other pods do not',
  'retention-both': 'Both Delete: the set controls the claims, and hands those of a condemned pod to it',
  'foreign-claims': 'A claim that somebody else controls is left alone, with a warning',
  why: 'What the set waits for is told down to its cause',
  recovery: 'A pod that blocks the set, was never Ready, and is of another revision is replaced',
  'claims-grow': 'Claims grow in the order of their ordinals, each before its pod is touched',
  'reserve-ordinals': 'Reserved ordinals have no pod',
  'update-last': 'The pods that update-last selects are updated last',
  'in-place': 'A change of images alone is made in the pod that is there',
  paused: 'A paused rollout takes no pod to another revision',
  'metadata-only': 'A change of labels and annotations alone restarts nothing',
};

const FIELDS = 'src/api/resources/stateful-sets/validation.test.ts';
const CONTROLLER = 'src/controllers/statefulset/controller.test.ts';

/** What is not plan's to decide: the file of the test that proves it, and words of its title. */
const PROVEN_ELSEWHERE: ReadonlyArray<[rule: string, file: string, title: string]> = [
  ['replicas, partition, … are not negative', FIELDS, 'negative replicas'],
  ['the selector is required, not empty, and matches the template', FIELDS, 'selector that does not match'],
  ['restartPolicy is Always', FIELDS, 'restart policy'],
  ['no activeDeadlineSeconds', FIELDS, 'deadline'],
  ['maxUnavailable is never 0', FIELDS, 'maxUnavailable of none'],
  ['rollingUpdate is for RollingUpdate only', FIELDS, 'rollingUpdate with OnDelete'],
  ['retention is Retain or Delete', FIELDS, "'retention'"],
  ['serviceName is a label', FIELDS, 'the name of its service is a label'],
  ['a claim template may grow, and not shrink', FIELDS, 'a smaller claim'],
  [
    'an annotation that means nothing is refused with a reason',
    FIELDS,
    'what they may not say, each with a reason',
  ],
  ['which fields may change', FIELDS, 'everything that may change'],
  ['serviceName and podManagementPolicy may not', FIELDS, "'serviceName'"],
  ['create clears the status', FIELDS, 'a new set has no pods, whatever status came with it'],
  ['an update keeps the status', FIELDS, 'an update keeps the status'],
  [
    'the counts of a status fit together, collisionCount never falls',
    FIELDS,
    'the counts of a status fit together',
  ],
  ['scale is a subresource', FIELDS, 'scale reads and writes replicas'],
  ['the name is not longer than the revision label allows', FIELDS, "test('names'"],
  [
    'the same spec again is no change',
    'test/upstream/integration.test.ts',
    'takes the manifest that it was made of',
  ],
  ['a spec change raises generation', 'test/upstream/integration.test.ts', 'observedGeneration'],
  ['orphans are adopted, strangers are released', CONTROLLER, 'orphans that match are adopted'],
  ['a hash collision raises collisionCount', CONTROLLER, 'raises collisionCount'],
  ['Parallel creates in batches 1, 2, 4 … 500', 'src/controllers/slow-start.test.ts', 'doubling up to 500'],
  [
    'the out-of-service taint lets pods go',
    'src/controllers/fencing.test.ts',
    'a fenced node lets its pods go',
  ],
  ['events on the set', 'test/upstream/integration.test.ts', 'tells each creation and deletion'],
  ['negative DNS answers are not cached', 'src/network/dns/resolve.test.ts', 'negativeTtlSeconds, 0'],
];

/** The root of the sources: the tests run from the build's, where the scenarios are not. */
function sources(): string {
  let root = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(root, 'package.json'))) root = dirname(root);
  return root;
}

const root = sources();
const folder = join(root, 'src/controllers/statefulset/scenarios');
const ruleOf = (file: string): string[] => {
  const { rule = [] }: { rule?: string | string[] } = parse(readFileSync(join(folder, file), 'utf8'));
  return [rule].flat();
};
const scenarios = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((file) => ({ file, rules: ruleOf(file) }));

test('every rule has a scenario', () => {
  const proven = new Set(scenarios.flatMap(({ rules }) => rules));
  assert.deepEqual(
    Object.keys(RULES).filter((rule) => !proven.has(rule)),
    [],
  );
});

test('every scenario says which rule it proves: `rule: name`, one of those listed here', () => {
  const lost = scenarios.filter(({ rules }) => rules.length === 0 || rules.some((rule) => !(rule in RULES)));
  assert.deepEqual(
    lost.map(({ file, rules }) => `${file}: ${rules}`),
    [],
  );
});

test('every rule that is proven elsewhere has a test there', () => {
  const missing = PROVEN_ELSEWHERE.filter(([, file, title]) => {
    return !readFileSync(join(root, file), 'utf8').includes(title);
  });
  assert.deepEqual(missing, []);
});
