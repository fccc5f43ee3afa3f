// What a new pod's affinity takes over from its labels.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { created, refusals } from '../../validation/test-manifests.ts';
import { pods } from './definition.ts';

const POD = `
metadata: {name: a, namespace: default, labels: {app: web, rev: '7'}}
spec:
  containers: [{name: c, image: i}]
  affinity:
    podAntiAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
      - {topologyKey: zone, labelSelector: {matchLabels: {app: web}}, matchLabelKeys: [rev, none]}
    podAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
      - {weight: 1, podAffinityTerm: {topologyKey: zone, labelSelector: {}, mismatchLabelKeys: [rev]}}`;

test('keys become expressions with the values of the pod', () => {
  const { affinity } = created(pods, POD).spec;
  const [near] = affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const [far] = affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  assert.deepEqual(far?.labelSelector, {
    matchLabels: { app: 'web' },
    matchExpressions: [{ key: 'rev', operator: 'In', values: ['7'] }],
  });
  assert.deepEqual(near?.podAffinityTerm.labelSelector?.matchExpressions, [
    { key: 'rev', operator: 'NotIn', values: ['7'] },
  ]);
  assert.deepEqual(refusals(pods, POD), []);
});
