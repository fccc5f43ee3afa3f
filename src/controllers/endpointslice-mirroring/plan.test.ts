import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EndpointSlice, Endpoints, Service } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { present } from '../../base/present.ts';
import { MAX_MIRRORED, MIRRORING_CONTROLLER, type MirrorPlan, planMirror } from './plan.ts';

const meta = (name: string) => ({
  namespace: 'default',
  name,
  uid: `uid-of-${name}`,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
});
const service = (spec: Partial<Service['spec']> = {}): Stored<Service> => ({
  metadata: meta('legacy'),
  spec: { clusterIP: 'None', ...spec },
});
const endpoints = (
  subsets: Endpoints['subsets'],
  metadata: Partial<Stored<Endpoints>['metadata']> = {},
): Stored<Endpoints> => present({ metadata: { ...meta('legacy'), ...metadata }, subsets });

const postgres = [{ name: 'pg', port: 5432 }];
const some = endpoints([
  {
    addresses: [
      { ip: '10.9.0.1', hostname: 'primary' },
      { ip: '10.9.0.2', nodeName: 'one' },
    ],
    notReadyAddresses: [{ ip: '10.9.0.3' }],
    ports: postgres,
  },
]);
const changes = ({ create, update, delete: gone }: MirrorPlan): number[] => [
  create.length,
  update.length,
  gone.length,
];
/** The slices as they are once the plan is carried out for the first time. */
const carriedOut = (plan: MirrorPlan): Stored<EndpointSlice>[] =>
  plan.create.map((slice, index) => ({
    ...slice,
    metadata: { ...meta(`legacy-${index}`), ...slice.metadata },
  }));

describe('planMirror', () => {
  it('counts both families of one set of ports together, and each address once', () => {
    const both = endpoints([
      {
        addresses: Array.from({ length: 600 }, (_, i) => ({ ip: `10.9.${i >> 8}.${i & 255}` })),
        ports: postgres,
      },
      {
        addresses: Array.from({ length: 600 }, (_, i) => ({ ip: `fd00::${(i + 1).toString(16)}` })),
        notReadyAddresses: [{ ip: '10.9.0.1' }],
        ports: postgres,
      },
    ]);
    const plan = planMirror({ endpoints: both, service: service(), slices: [] });
    assert.deepEqual(
      plan.create.map(({ addressType, endpoints: all }) => [addressType, all?.length]),
      [
        ['IPv4', 600],
        ['IPv6', 400],
      ],
    );
    assert.equal(plan.skipped, 200);
  });

  it('makes a slice of what is in the object, owned by it', () => {
    const { create } = planMirror({ endpoints: some, service: service(), slices: [] });
    assert.deepEqual(create, [
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          namespace: 'default',
          labels: {
            'kubernetes.io/service-name': 'legacy',
            'endpointslice.kubernetes.io/managed-by': MIRRORING_CONTROLLER,
          },
          annotations: {},
          ownerReferences: [
            {
              apiVersion: 'v1',
              kind: 'Endpoints',
              name: 'legacy',
              uid: 'uid-of-legacy',
              controller: true,
              blockOwnerDeletion: true,
            },
          ],
        },
        addressType: 'IPv4',
        endpoints: [
          { addresses: ['10.9.0.1'], conditions: { ready: true }, hostname: 'primary' },
          { addresses: ['10.9.0.2'], conditions: { ready: true }, nodeName: 'one' },
          { addresses: ['10.9.0.3'], conditions: { ready: false } },
        ],
        ports: [{ name: 'pg', port: 5432, protocol: 'TCP' }],
      },
    ]);
  });

  it('has a slice for each address type and set of ports', () => {
    const mixed = endpoints([
      { addresses: [{ ip: '10.9.0.1' }, { ip: 'fd00::1' }], ports: postgres },
      { addresses: [{ ip: '10.9.0.2' }], ports: postgres },
      { addresses: [{ ip: '10.9.0.1' }], ports: [{ port: 80 }] },
    ]);
    const { create } = planMirror({ endpoints: mixed, service: service(), slices: [] });
    assert.deepEqual(
      create.map(({ addressType, endpoints: all }) => [addressType, all?.length]),
      [
        ['IPv4', 2],
        ['IPv6', 1],
        ['IPv4', 1],
      ],
    );
  });

  it('changes nothing that is right already, and in place what is not', () => {
    const slices = carriedOut(planMirror({ endpoints: some, service: service(), slices: [] }));
    assert.deepEqual(changes(planMirror({ endpoints: some, service: service(), slices })), [0, 0, 0]);
    const moved = endpoints([{ addresses: [{ ip: '10.9.0.9' }], ports: postgres }]);
    const plan = planMirror({ endpoints: moved, service: service(), slices });
    assert.deepEqual(changes(plan), [0, 1, 0]);
    assert.deepEqual(
      plan.update.map(({ metadata, endpoints: all }) => [metadata.name, all?.[0]?.addresses]),
      [['legacy-0', ['10.9.0.9']]],
    );
    const labelled = endpoints(some.subsets, { labels: { tier: 'db' } });
    assert.deepEqual(changes(planMirror({ endpoints: labelled, service: service(), slices })), [0, 1, 0]);
    const otherPorts = endpoints([{ addresses: [{ ip: '10.9.0.1' }] }]);
    assert.deepEqual(changes(planMirror({ endpoints: otherPorts, service: service(), slices })), [1, 0, 1]);
  });

  it('copies what people wrote, and not what is about the object alone', () => {
    const annotations = {
      note: 'by hand',
      'kubectl.kubernetes.io/last-applied-configuration': '{}',
      'endpoints.kubernetes.io/last-change-trigger-time': 'now',
    };
    const { create } = planMirror({
      endpoints: endpoints(some.subsets, { annotations }),
      service: service(),
      slices: [],
    });
    assert.deepEqual(create[0]?.metadata.annotations, { note: 'by hand' });
  });

  it('leaves alone what is not to be mirrored, and takes back what was', () => {
    const slices = carriedOut(planMirror({ endpoints: some, service: service(), slices: [] }));
    const skipped = endpoints(some.subsets, {
      labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
    });
    const leader = endpoints(some.subsets, {
      annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' },
    });
    for (const observed of [
      { endpoints: undefined, service: service() },
      { endpoints: some, service: undefined },
      { endpoints: some, service: service({ selector: { app: 'x' } }) },
      { endpoints: skipped, service: service() },
      { endpoints: leader, service: service() },
    ]) {
      assert.deepEqual(changes(planMirror({ ...observed, slices: [] })), [0, 0, 0]);
      assert.deepEqual(changes(planMirror({ ...observed, slices })), [0, 0, 1]);
    }
  });

  it('mirrors as many addresses as a slice holds', () => {
    const addresses = Array.from({ length: MAX_MIRRORED + 5 }, (_, i) => ({
      ip: `10.9.${i >> 8}.${i & 255}`,
    }));
    const plan = planMirror({ endpoints: endpoints([{ addresses }]), service: service(), slices: [] });
    assert.deepEqual([plan.create[0]?.endpoints?.length, plan.skipped], [MAX_MIRRORED, 5]);
  });
});
