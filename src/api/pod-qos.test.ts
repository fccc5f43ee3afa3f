// One class of service for every room: the cases in which the status, the node and quotas once said different things.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Container, Pod, PodSpec, ResourceRequirements } from './generated/types.ts';
import { computeQosClass, qosClassOf } from './pod-qos.ts';

const FULL = { cpu: '1', memory: '1Gi' };

function podWith(containers: readonly ResourceRequirements[], rest: Partial<PodSpec> = {}): Pod {
  const named = containers.map(
    (resources, index): Container => ({ name: `c${index}`, image: 'i', resources }),
  );
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: { ...rest, containers: named } };
}

describe('the class of service of a pod', () => {
  it('is Guaranteed when every container has limits of both, and requests the same', () => {
    assert.equal(computeQosClass(podWith([{ limits: FULL, requests: FULL }])), 'Guaranteed');
    // The same amounts in other words.
    const requests = { cpu: '1000m', memory: '1024Mi' };
    assert.equal(computeQosClass(podWith([{ limits: FULL, requests }])), 'Guaranteed');
    const one = { limits: FULL, requests: FULL };
    assert.equal(
      computeQosClass(podWith([one, { limits: { cpu: '1' }, requests: { cpu: '1' } }])),
      'Burstable',
    );
    assert.equal(computeQosClass(podWith([one, {}])), 'Burstable');
  });

  it('is Burstable for limits without requests: defaulting is what makes them requests', () => {
    assert.equal(computeQosClass(podWith([{ limits: FULL }])), 'Burstable');
  });

  it('counts init containers, and only cpu and memory', () => {
    const initContainers: Container[] = [{ name: 'i', image: 'i', resources: { requests: { cpu: '1m' } } }];
    assert.equal(computeQosClass(podWith([{}], { initContainers })), 'Burstable');
    assert.equal(computeQosClass(podWith([{ requests: { 'ephemeral-storage': '1Gi' } }])), 'BestEffort');
    assert.equal(
      computeQosClass(podWith([{ requests: { cpu: '0' }, limits: { memory: '0' } }])),
      'BestEffort',
    );
  });

  it('goes by the resources of the pod itself where it has any', () => {
    assert.equal(computeQosClass(podWith([{}], { resources: { requests: { cpu: '1' } } })), 'Burstable');
    assert.equal(
      computeQosClass(podWith([{}], { resources: { requests: FULL, limits: FULL } })),
      'Guaranteed',
    );
    const partly = { requests: { cpu: '1' }, limits: { cpu: '1' } };
    const full = { requests: FULL, limits: FULL };
    assert.equal(computeQosClass(podWith([full], { resources: partly })), 'Burstable');
    assert.equal(computeQosClass(podWith([full], { resources: {} })), 'BestEffort');
  });

  it('is not changed by overhead', () => {
    assert.equal(computeQosClass(podWith([{}], { overhead: { cpu: '1', memory: '1Gi' } })), 'BestEffort');
  });

  it('is what the status says once it says it', () => {
    const pod = podWith([{}]);
    assert.equal(qosClassOf(pod), 'BestEffort');
    assert.equal(qosClassOf({ ...pod, status: { qosClass: 'Guaranteed' } }), 'Guaranteed');
  });
});
