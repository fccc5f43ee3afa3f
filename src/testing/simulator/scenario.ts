// What a seed means: how many machines, which sets, how long the trouble lasts. Nothing happens here.

import type { StatefulSet } from '../../api/generated/types.ts';
import type { Random } from '../../base/clock.ts';
import { present } from '../../base/present.ts';
import { seededRandom } from '../seeded-random.ts';
import { between, pick } from './faults.ts';

export interface Scenario {
  seed: number;
  machines: number;
  sets: StatefulSet[];
  /** How many things happen before all is well again. */
  steps: number;
  /** The longest time between two of them, ms. */
  gapMs: number;
}

export const imageOf = (version: number): string => `app:${version}`;

export function scenarioOf(seed: number): Scenario {
  const random = seededRandom(seed);
  const machines = between(random, 2, 4);
  const names = random.next() < 0.3 ? ['db', 'web'] : ['db'];
  return {
    seed,
    machines,
    sets: names.map((name) => anySet(random, name)),
    steps: between(random, 10, 30),
    gapMs: pick(random, [2_000, 10_000, 30_000]),
  };
}

function anySet(random: Random, name: string): StatefulSet {
  const labels = { app: name };
  const hasClaims = random.next() < 0.7;
  const minReadySeconds = pick(random, [0, 0, 0, 5, 20]);
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { namespace: 'default', name },
    spec: present({
      serviceName: name,
      replicas: between(random, 1, 5),
      podManagementPolicy: random.next() < 0.7 ? 'OrderedReady' : 'Parallel',
      ordinals: { start: pick(random, [0, 0, 0, 3]) },
      minReadySeconds,
      updateStrategy: anyStrategy(random),
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: pick(random, [1, 10, 30]),
          containers: [
            {
              name: 'app',
              image: imageOf(0),
              readinessProbe: { httpGet: { path: '/', port: 80 }, periodSeconds: 3, failureThreshold: 2 },
              ...(hasClaims ? { volumeMounts: [{ name: 'data', mountPath: '/data' }] } : {}),
            },
          ],
        },
      },
      volumeClaimTemplates: hasClaims ? [claimTemplate()] : undefined,
      persistentVolumeClaimRetentionPolicy: {
        whenDeleted: 'Retain',
        whenScaled: pick(random, ['Retain', 'Retain', 'Delete']),
      },
    }),
  };
}

function anyStrategy(random: Random): StatefulSet['spec']['updateStrategy'] {
  const type = pick(random, [
    'RollingUpdate',
    'RollingUpdate',
    'RollingUpdate',
    'RollingUpdate',
    'OnDelete',
    'Recreate',
  ]);
  if (type !== 'RollingUpdate') return { type };
  const partition = pick(random, [0, 0, 1, 2, 3]);
  return { type, rollingUpdate: { partition, maxUnavailable: pick(random, [1, 1, 1, 2, '50%']) } };
}

const claimTemplate = () => ({
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
});
