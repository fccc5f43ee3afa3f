// stead why KIND/NAME: the chain from what the user sees to its root cause. What is said stands in why/.
import { persistentVolumeClaims } from '../../api/resources/persistent-volume-claims/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { statefulSets } from '../../api/resources/stateful-sets/definition.ts';
import { systemClock } from '../../cluster/process/system-clock.ts';
import { UserError } from '../../cluster/process/user-error.ts';
import { Evidence, readObjects } from '../../why/evidence.ts';
import { type Kind, linesOf, storyOf } from '../../why/story.ts';
import { connect } from '../connection.ts';

/** All the words for a resource: `po`, `pod`, `pods`. */
const wordsFor = (
  kind: Kind,
  { plural, shortNames }: { plural: string; shortNames: string[] },
): { kind: Kind; words: string[] } => ({ kind, words: [kind, plural, ...shortNames] });

const KINDS = [
  wordsFor('statefulset', statefulSets),
  wordsFor('pod', pods),
  wordsFor('persistentvolumeclaim', persistentVolumeClaims),
];

/** @throws UserError if there is no such kind or object. */
export async function why(
  target: string,
  options: { dataDir: string; namespace: string; output: 'text' | 'json' },
): Promise<void> {
  const [word = '', name] = target.split('/');
  const known = KINDS.find(({ words }) => words.includes(word.toLowerCase()));
  if (!known || !name) {
    const examples = KINDS.map(({ words }) => `${words.at(-1)}/NAME`).join(', ');
    throw new UserError(`\`${target}\` names nothing that can be explained: say ${examples}.`);
  }
  const { client } = await connect(options.dataDir);
  const { namespace } = options;
  const evidence = new Evidence(await readObjects(client, namespace), namespace, systemClock.now());
  const story = storyOf(known.kind, name, evidence);
  if (!story) throw new UserError(`There is no ${known.kind} ${name} in namespace ${namespace}.`);
  const text = options.output === 'json' ? JSON.stringify(story) : linesOf(story).join('\n');
  process.stdout.write(`${text}\n`);
}
