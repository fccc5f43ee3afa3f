// The set that lives through the kills. Each of its pods counts in a ledger on its volume, a line a step: the uid of the
// pod and the number. What the ledgers say afterwards is the proof: a number missing is data lost, a number twice or a
// uid that comes back is two pods of one name at the same time.

export const COUNTER = 'counter';
const COUNTER_IMAGE = 'stead.dev/toolbox:1';
const COUNT = [
  'n=$(tail -n 1 /data/ledger 2>/dev/null | cut -d " " -f 2)',
  'n=$((n+0))',
  'trap "exit 0" TERM',
  'while true; do n=$((n+1)); echo "$POD_UID $n" >> /data/ledger; touch /tmp/ready; sleep 0.05; done',
].join('\n');

/**
 * The set's manifest.
 * @param mark stands in the command line of every process of its pods, before the pod's name.
 * @param generation another value rolls all pods.
 */
export function counterManifest(mark: string, replicas: number, generation: number): string {
  const fieldEnv = (name: string, fieldPath: string): object => ({
    name,
    valueFrom: { fieldRef: { fieldPath } },
  });
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: COUNTER },
    spec: {
      serviceName: COUNTER,
      replicas,
      selector: { matchLabels: { app: COUNTER } },
      template: {
        metadata: { labels: { app: COUNTER }, annotations: { generation: `${generation}` } },
        spec: {
          terminationGracePeriodSeconds: 5,
          containers: [
            {
              name: 'count',
              image: COUNTER_IMAGE,
              command: ['sh', '-c', COUNT, mark, '$(POD_NAME)'],
              env: [fieldEnv('POD_NAME', 'metadata.name'), fieldEnv('POD_UID', 'metadata.uid')],
              readinessProbe: { exec: { command: ['test', '-e', '/tmp/ready'] }, periodSeconds: 1 },
              volumeMounts: [{ name: 'data', mountPath: '/data' }],
            },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '32Mi' } } },
        },
      ],
    },
  });
}

export interface LedgerReport {
  steps: number;
  /** One sentence for each fault. */
  faults: string[];
}

/**
 * Reads a ledger.
 * @param name whose it is, for the sentences.
 * @param least how far it had come the last time somebody looked.
 */
export function readLedger(name: string, text: string, least: number): LedgerReport {
  const faults: string[] = [];
  const past = new Set<string>();
  let writer = '';
  let last = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [uid = '', number = ''] = line.split(' ');
    if (uid !== writer) {
      if (past.has(uid)) faults.push(`${name}: pod ${uid} wrote again after ${writer} had begun`);
      past.add(writer);
      writer = uid;
    }
    if (Number(number) !== last + 1) faults.push(`${name}: "${line}" follows on ${last}`);
    last = Number(number);
  }
  if (last < least) faults.push(`${name}: counts to ${last}, had counted to ${least}`);
  return { steps: last, faults };
}
