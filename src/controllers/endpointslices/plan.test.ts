import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { EndpointSlice, Pod, Service } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { HEADLESS } from '../../api/service-endpoints.ts';
import { TRIGGER_TIME } from '../trigger-times.ts';
import { MAX_ENDPOINTS, planSlices } from './plan.ts';

const meta = (name: string) => ({
  namespace: 'default',
  name,
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
});

const service: Stored<Service> = {
  metadata: meta('nginx'),
  spec: {
    clusterIP: 'None',
    selector: { app: 'nginx' },
    ports: [{ name: 'web', port: 80, targetPort: 'web' }],
  },
};

const pod = (index: number, ready = true, containerPort = 80): Stored<Pod> => ({
  metadata: meta(`web-${index}`),
  spec: {
    hostname: `web-${index}`,
    subdomain: 'nginx',
    containers: [{ name: 'main', ports: [{ name: 'web', containerPort }] }],
  },
  status: {
    phase: 'Running',
    podIP: `10.0.${index >> 8}.${index & 255}`,
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
  },
});

/** Does what the plan says. */
function carryOut(slices: Stored<EndpointSlice>[], pods: Stored<Pod>[]) {
  const plan = planSlices({ service, pods, slices, node: () => undefined });
  const gone = new Set(plan.delete.map((slice) => slice.metadata.name));
  const kept = slices
    .filter((slice) => !gone.has(slice.metadata.name))
    .map((slice) => plan.update.find((update) => update.metadata.name === slice.metadata.name) ?? slice);
  const created = plan.create.map((slice, index) => ({
    ...slice,
    metadata: {
      ...meta(`new-${index}-${Math.max(0, ...slices.map((s) => s.metadata.name.length))}`),
      ...slice.metadata,
    },
  }));
  return { plan, slices: [...kept, ...created.map((slice) => slice as Stored<EndpointSlice>)] };
}

describe('planSlices', () => {
  const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

  it('fills slices of a hundred', () => {
    const { slices } = carryOut(
      [],
      range(250).map((i) => pod(i)),
    );
    assert.deepEqual(
      slices.map((slice) => slice.endpoints?.length),
      [100, 100, 50],
    );
  });

  it('says when what it writes has happened, and that it is headless in its own words', () => {
    const named = { ...service, metadata: { ...service.metadata, labels: { [HEADLESS]: 'x', app: 'a' } } };
    const observed = { service: named, pods: [pod(1)], slices: [], node: () => undefined };
    const [first] = planSlices({ ...observed, triggerTime: '2026-01-01T00:00:07Z' }).create;
    assert.equal(first?.metadata.annotations?.[TRIGGER_TIME], '2026-01-01T00:00:07Z');
    assert.equal(first?.metadata.labels?.[HEADLESS], '');
    const withAddress = { ...named, spec: { ...named.spec, clusterIP: '10.96.0.1' } };
    const [second] = planSlices({ ...observed, service: withAddress }).create;
    assert.equal(second?.metadata.annotations?.[TRIGGER_TIME], undefined);
    assert.deepEqual([second?.metadata.labels?.[HEADLESS], second?.metadata.labels?.app], [undefined, 'a']);
  });

  it('a time alone is no reason to write', () => {
    const { slices } = carryOut([], [pod(1)]);
    const plan = planSlices({ service, pods: [pod(1)], slices, node: () => undefined, triggerTime: 'now' });
    assert.deepEqual([plan.create, plan.update, plan.delete], [[], [], []]);
  });

  it('writes one slice when one pod changes, none when nothing does', () => {
    const pods = range(250).map((i) => pod(i));
    const first = carryOut([], pods);
    const idle = carryOut(first.slices, pods);
    assert.deepEqual(idle.plan, { create: [], update: [], delete: [] });
    const changed = carryOut(
      first.slices,
      pods.map((each, i) => (i === 120 ? pod(120, false) : each)),
    );
    assert.deepEqual(
      [changed.plan.create.length, changed.plan.update.length, changed.plan.delete.length],
      [0, 1, 0],
    );
  });

  it('keeps pods with other ports apart', () => {
    const { slices } = carryOut([], [pod(0), pod(1, true, 8080)]);
    assert.deepEqual(slices.map((slice) => slice.ports?.[0]?.port).sort(), [80, 8080]);
  });

  it('keeps one empty slice for a service without pods', () => {
    const { slices } = carryOut([], []);
    assert.deepEqual(
      slices.map((slice) => [slice.endpoints, slice.ports]),
      [[[], []]],
    );
    assert.deepEqual(carryOut(slices, []).plan, { create: [], update: [], delete: [] });
  });

  it('holds every pod exactly once, whatever came before', () => {
    const population = fc.uniqueArray(
      fc.record({ index: fc.integer({ min: 0, max: 400 }), ready: fc.boolean() }),
      {
        maxLength: 260,
        selector: ({ index }) => index,
      },
    );
    fc.assert(
      fc.property(population, population, (before, now) => {
        const first = carryOut(
          [],
          before.map(({ index, ready }) => pod(index, ready)),
        );
        const { slices } = carryOut(
          first.slices,
          now.map(({ index, ready }) => pod(index, ready)),
        );
        const names = slices.flatMap((slice) => (slice.endpoints ?? []).map((endpoint) => endpoint.hostname));
        assert.deepEqual(names.sort(), now.map(({ index }) => `web-${index}`).sort());
        for (const slice of slices) assert.ok((slice.endpoints ?? []).length <= MAX_ENDPOINTS);
      }),
      { numRuns: 40 },
    );
  });
});
