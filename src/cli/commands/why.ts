// stead why KIND/NAME: the chain from what the user sees to its root cause, from the same values that the set's
// conditions and events are made of.
import { isNotFound } from '../../api/errors.ts';
import type { ObjectKey } from '../../api/objects.ts';
import { persistentVolumeClaims } from '../../api/resources/persistent-volume-claims.ts';
import { pods } from '../../api/resources/pods.ts';
import { statefulSets } from '../../api/resources/stateful-sets.ts';
import { storageClasses } from '../../api/resources/storage-classes.ts';
import { sentenceOf } from '../../api/waiting.ts';
import { whyNotBound } from '../../api/why/claim.ts';
import { whyNotReady } from '../../api/why/pod.ts';
import type { Client } from '../../client/client.ts';
import { UserError } from '../../cluster/user-error.ts';
import { connect } from '../connection.ts';

interface Reason {
  /** `statefulset default/web` */
  object: string;
  waits: boolean;
  reason: string;
  message: string;
}

type Explain = (client: Client, key: ObjectKey) => Promise<Omit<Reason, 'object'>>;

const nothing = (message: string): Omit<Reason, 'object'> => ({ waits: false, reason: '', message });

const explainPod: Explain = async (client, key) => {
  const pod = await client.get(pods, key);
  const claims = await client.list(persistentVolumeClaims, { namespace: key.namespace });
  const because = whyNotReady(pod, (name) => claims.items.find(({ metadata }) => metadata.name === name));
  if (!because) return nothing(`it is ready at ${pod.status?.podIP}`);
  return { waits: true, reason: 'NotReady', message: sentenceOf(because) };
};

const explainClaim: Explain = async (client, key) => {
  const claim = await client.get(persistentVolumeClaims, key);
  const classes = await client.list(storageClasses);
  const hasClass = (name: string): boolean => classes.items.some(({ metadata }) => metadata.name === name);
  const because = whyNotBound(claim, hasClass);
  if (!because) return nothing(`it is bound to ${claim.spec.volumeName}`);
  return { waits: true, reason: because.reason, message: because.message };
};

const explainSet: Explain = async (client, key) => {
  const set = await client.get(statefulSets, key);
  const conditions = set.status?.conditions ?? [];
  const progressing = conditions.find(({ type }) => type === 'Progressing');
  const available = conditions.find(({ type }) => type === 'Available');
  const stuck = [progressing, available].find((condition) => condition && condition.status !== 'True');
  const ready = `${set.status?.readyReplicas ?? 0} of ${set.spec.replicas ?? 1} pods are ready`;
  if ((set.status?.readyReplicas ?? 0) === (set.spec.replicas ?? 1) && !stuck)
    return nothing(`all is well: ${ready}`);
  const told = stuck ?? progressing;
  return { waits: true, reason: told?.reason ?? 'Unknown', message: told?.message ?? ready };
};

/** All the words for a resource: `po`, `pod`, `pods`. */
const wordsFor = ({
  singular,
  plural,
  shortNames,
}: {
  singular: string;
  plural: string;
  shortNames: string[];
}) => ({
  singular,
  words: [singular, plural, ...shortNames],
});

const KINDS: ReadonlyArray<{ singular: string; words: string[]; explain: Explain }> = [
  { ...wordsFor(statefulSets), explain: explainSet },
  { ...wordsFor(pods), explain: explainPod },
  { ...wordsFor(persistentVolumeClaims), explain: explainClaim },
];

/** @throws UserError if there is no such kind or object. */
export async function why(
  target: string,
  options: { dataDir: string; namespace: string; output: 'text' | 'json' },
): Promise<void> {
  const [word = '', name] = target.split('/');
  const kind = KINDS.find(({ words }) => words.includes(word.toLowerCase()));
  if (!kind || !name) {
    const examples = KINDS.map(({ words }) => `${words.at(-1)}/NAME`).join(', ');
    throw new UserError(`\`${target}\` names nothing that can be explained: say ${examples}.`);
  }
  const { client } = await connect(options.dataDir);
  const { namespace } = options;
  const explained = await kind.explain(client, { namespace, name }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    throw new UserError(`There is no ${kind.singular} ${name} in namespace ${namespace}.`);
  });
  const reason: Reason = { object: `${kind.singular} ${namespace}/${name}`, ...explained };
  if (options.output === 'json') process.stdout.write(`${JSON.stringify(reason)}\n`);
  else
    process.stdout.write(
      `${reason.object}: ${reason.message}${reason.reason ? ` (${reason.reason})` : ''}\n`,
    );
}
