// Whether a pod may have the resources that it asks for now, and what it runs with meanwhile.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, Pod, ResourceRequirements } from '../../../api/generated/types.ts';
import {
  allocationOf,
  needsRestart,
  reportedAllocation,
  resizedResources,
  whyNotResized,
  withAllocation,
} from './resize.ts';

const NODE = { cpuCores: 2, memoryBytes: 1000 * 1024 ** 2 };

function podWith(resources: ResourceRequirements, status?: Pod['status']): Pod {
  const containers: Container[] = [{ name: 'web', image: 'a', resources }];
  return { metadata: { name: 'web-0' }, spec: { containers }, ...(status && { status }) };
}

test('what a node never has is infeasible, what others have is deferred', () => {
  const others = [podWith({ requests: { cpu: '1500m', memory: '100Mi' } })];
  const wanted = (requests: Record<string, string>) =>
    whyNotResized(podWith({ requests }), NODE, () => others);
  assert.equal(wanted({ cpu: '500m', memory: '900Mi' }), undefined);
  assert.deepEqual(wanted({ cpu: '4' }), {
    reason: 'Infeasible',
    message: "Node didn't have enough capacity: cpu, requested: 4000, capacity: 2000",
  });
  assert.deepEqual(wanted({ cpu: '501m' }), {
    reason: 'Deferred',
    message: "Node didn't have enough resource: cpu, requested: 501, used: 1500, capacity: 2000",
  });
  assert.deepEqual(wanted({ memory: '901Mi' }), {
    reason: 'Deferred',
    message: `Node didn't have enough resource: memory, requested: ${901 * 1024 ** 2}, used: ${100 * 1024 ** 2}, capacity: ${1000 * 1024 ** 2}`,
  });
});

test('others are not looked at for what the node can never give', () => {
  const nobody = (): Pod[] => assert.fail('asked for the others');
  assert.equal(whyNotResized(podWith({ requests: { cpu: '3' } }), NODE, nobody)?.reason, 'Infeasible');
});

test('a pod runs with what it was given; one that has what it asks for is the same object', () => {
  const pod = podWith({ requests: { cpu: '200m' }, limits: { memory: '64Mi' } });
  assert.equal(withAllocation(pod, allocationOf(pod)), pod);
  const sameInOtherWords = new Map([['web', { requests: { cpu: '0.2' }, limits: { memory: '65536Ki' } }]]);
  assert.equal(withAllocation(pod, sameInOtherWords), pod);
  const given = { requests: { cpu: '100m' }, limits: { memory: '64Mi' } };
  const allocated = withAllocation(pod, new Map([['web', given]]));
  assert.deepEqual(allocated.spec.containers[0]?.resources, given);
  assert.deepEqual(pod.spec.containers[0]?.resources?.requests, { cpu: '200m' });
});

test('an agent that begins takes what was given from the status', () => {
  const resources = { requests: { cpu: '100m' } };
  const status = {
    containerStatuses: [{ name: 'web', image: 'a', imageID: 'a', ready: true, restartCount: 0, resources }],
  };
  const wanted = { requests: { cpu: '200m' } };
  assert.deepEqual(reportedAllocation(podWith(wanted, status)).get('web'), resources);
  assert.deepEqual(reportedAllocation(podWith(wanted)).get('web'), wanted);
});

test('only cpu and memory are resized, and only where the amounts differ', () => {
  assert.deepEqual(resizedResources({ limits: { cpu: '1' } }, { limits: { cpu: '1000m' } }), []);
  assert.deepEqual(resizedResources({ limits: { cpu: '1' } }, { limits: { cpu: '1', memory: '1Gi' } }), [
    'memory',
  ]);
  assert.deepEqual(resizedResources(undefined, { requests: { cpu: '1' } }), ['cpu']);
  assert.deepEqual(resizedResources({ limits: { 'ephemeral-storage': '1' } }, {}), []);
});

test('a container restarts if its policy wants that for a resource that changes', () => {
  const container: Container = {
    name: 'web',
    resizePolicy: [
      { resourceName: 'cpu', restartPolicy: 'NotRequired' },
      { resourceName: 'memory', restartPolicy: 'RestartContainer' },
    ],
  };
  assert.equal(needsRestart(container, ['cpu']), false);
  assert.equal(needsRestart(container, ['cpu', 'memory']), true);
  assert.equal(needsRestart({ name: 'web' }, ['memory']), false);
});
