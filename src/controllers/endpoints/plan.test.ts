import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Endpoints, Pod, Service } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { MAX_ADDRESSES, planEndpoints } from './plan.ts';

const meta = (name: string) => ({
  namespace: 'default',
  name,
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
});
const service = (spec: Partial<Service['spec']> = {}): Stored<Service> => ({
  metadata: meta('nginx'),
  spec: { clusterIP: 'None', selector: { app: 'nginx' }, ports: [{ name: 'web', port: 80 }], ...spec },
});
const pod = (index: number, ready = true, extra: Partial<Stored<Pod>['metadata']> = {}): Stored<Pod> => ({
  metadata: { ...meta(`web-${index}`), ...extra },
  spec: { hostname: `web-${index}`, subdomain: 'nginx', containers: [{ name: 'main' }] },
  status: {
    phase: 'Running',
    podIP: `10.0.${index >> 8}.${index & 255}`,
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
  },
});
const going = { deletionTimestamp: '2026-01-01T00:00:00Z' };

describe('planEndpoints', () => {
  it('tells the ready from those that are not, and leaves out those that go', () => {
    const plan = planEndpoints(service(), [pod(2), pod(1, false), pod(3, true, going)], undefined);
    assert.deepEqual(plan?.subsets, [
      {
        addresses: [
          {
            ip: '10.0.0.2',
            hostname: 'web-2',
            targetRef: { kind: 'Pod', namespace: 'default', name: 'web-2', uid: 'web-2' },
          },
        ],
        notReadyAddresses: [
          {
            ip: '10.0.0.1',
            hostname: 'web-1',
            targetRef: { kind: 'Pod', namespace: 'default', name: 'web-1', uid: 'web-1' },
          },
        ],
        ports: [{ name: 'web', port: 80, protocol: 'TCP' }],
      },
    ]);
  });

  it('publishes all of them as ready where the service asks for it', () => {
    const all = service({ publishNotReadyAddresses: true });
    const [subset] = planEndpoints(all, [pod(1, false), pod(2, true, going)], undefined)?.subsets ?? [];
    assert.equal(subset?.addresses?.length, 2);
  });

  it('says when what it writes has happened, which alone is no reason to write', () => {
    const time = 'endpoints.kubernetes.io/last-change-trigger-time';
    const first = planEndpoints(service(), [pod(1)], undefined, '2026-01-01T00:00:07Z');
    assert.equal(first?.metadata.annotations?.[time], '2026-01-01T00:00:07Z');
    const stored = { ...first, metadata: { ...meta('nginx'), ...first?.metadata } };
    assert.equal(planEndpoints(service(), [pod(1)], stored, '2026-01-01T00:00:09Z'), undefined);
    const second = planEndpoints(service(), [pod(2)], stored);
    assert.equal(second?.metadata.annotations?.[time], undefined);
  });

  it('cuts each group by its share where there are too many', () => {
    const other = { spec: { ports: [{ name: 'web', port: 80, targetPort: 'web' }] } };
    const named = (index: number, containerPort: number): Stored<Pod> => {
      const one = pod(index);
      return {
        ...one,
        spec: { ...one.spec, containers: [{ name: 'main', ports: [{ name: 'web', containerPort }] }] },
      };
    };
    const pods = Array.from({ length: 1_500 }, (_, index) => named(index, index < 500 ? 80 : 81));
    const plan = planEndpoints(service(other.spec), pods, undefined);
    assert.deepEqual(
      plan?.subsets?.map(({ addresses, ports }) => [ports?.[0]?.port, addresses?.length]),
      [
        [80, 334],
        [81, 666],
      ],
    );
    assert.equal(plan?.metadata.annotations?.['endpoints.kubernetes.io/over-capacity'], 'truncated');
  });

  it('changes nothing that is right already', () => {
    const first = planEndpoints(service(), [pod(1)], undefined);
    const existing = { ...first, metadata: { ...meta('nginx'), ...first?.metadata } } as Stored<Endpoints>;
    assert.equal(planEndpoints(service(), [pod(1)], existing), undefined);
    assert.notEqual(planEndpoints(service(), [pod(1, false)], existing), undefined);
  });

  it('has addresses without ports only in a headless service without ports', () => {
    const addresses = (spec: Partial<Service['spec']>): number =>
      planEndpoints(service(spec), [pod(1)], undefined)?.subsets?.length ?? 0;
    assert.equal(addresses({ ports: [] }), 1);
    assert.equal(addresses({ ports: [], clusterIP: '10.96.0.5' }), 0);
    assert.equal(addresses({ ports: [{ name: 'web', port: 80, targetPort: 'nothing' }] }), 0);
  });

  it('cuts off what is too much, and says so', () => {
    const many = Array.from({ length: MAX_ADDRESSES + 5 }, (_, i) => pod(i, i >= 3));
    const plan = planEndpoints(service(), many, undefined);
    const [subset] = plan?.subsets ?? [];
    assert.equal(subset?.addresses?.length, MAX_ADDRESSES);
    assert.equal(subset?.notReadyAddresses, undefined);
    assert.equal(plan?.metadata.annotations?.['endpoints.kubernetes.io/over-capacity'], 'truncated');
  });
});
