// The rules of one Service: golden scenarios (scenarios.yaml). What the rules do to packets is traffic-flows.test.ts's
// business.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import type { EndpointSlice, LoadBalancerIngress, Pod, ServiceSpec } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import type { Ruleset } from '../nftables/ruleset.ts';
import { staleEntries } from './conntrack.ts';
import { IPV4, IPV6 } from './family.ts';
import { type PlannedService, planService } from './plan.ts';

interface Scenario {
  name: string;
  spec?: Partial<ServiceSpec>;
  labels?: Record<string, string>;
  ingress?: LoadBalancerIngress[];
  zone?: string;
  endpoints?: Array<{
    ip: string;
    node?: string;
    ready?: boolean;
    serving?: boolean;
    terminating?: boolean;
    forNodes?: string[];
    forZones?: string[];
  }>;
  /** Who writes the slices. */
  managedBy?: string;
  pods?: Array<{ ip: string; port: number; node?: string; ready?: boolean; going?: boolean }>;
  /** A line for each, or `none`. */
  expect?: string;
  /** Where its traffic is led to. */
  leads?: string[];
}

const META = {
  namespace: 'default',
  uid: 'u',
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
};

function slicesOf({ endpoints = [], managedBy, spec }: Scenario): Stored<EndpointSlice>[] {
  return endpoints.map(({ ip, node, ready, serving, terminating, forNodes, forZones }) => ({
    metadata: {
      ...META,
      name: `web-${ip}`,
      labels: managedBy ? { 'endpointslice.kubernetes.io/managed-by': managedBy } : {},
    },
    addressType: ip.includes(':') ? 'IPv6' : 'IPv4',
    ports: [{ name: '', port: 8080, protocol: spec?.ports?.[0]?.protocol ?? 'TCP' }],
    endpoints: [
      {
        addresses: [ip],
        nodeName: node ?? 'here',
        conditions: {
          ...(ready !== undefined && { ready }),
          ...(serving !== undefined && { serving }),
          ...(terminating !== undefined && { terminating }),
        },
        hints: {
          forNodes: (forNodes ?? []).map((name) => ({ name })),
          forZones: (forZones ?? []).map((name) => ({ name })),
        },
      },
    ],
  }));
}

function podsOf({ pods = [] }: Scenario): Stored<Pod>[] {
  return pods.map(({ ip, port, node, ready = true, going }) => ({
    metadata: {
      ...META,
      name: ip,
      labels: { app: 'web' },
      ...(going && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    },
    spec: {
      nodeName: node ?? 'here',
      containers: [{ name: 'c', image: 'i', ports: [{ name: 'http', containerPort: port }] }],
    },
    status: {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  }));
}

function planOf(scenario: Scenario): PlannedService | undefined {
  const { spec, labels = {}, ingress, zone } = scenario;
  return planService(
    {
      metadata: { ...META, name: 'web', labels },
      spec: {
        clusterIP: '10.96.0.10',
        clusterIPs: ['10.96.0.10'],
        type: 'ClusterIP',
        ports: [{ port: 80 }],
        ...spec,
      },
      ...(ingress && { status: { loadBalancer: { ingress } } }),
    },
    { pods: podsOf(scenario), slices: slicesOf(scenario) },
    {
      bridge: 'stead0',
      families: [IPV4, IPV6],
      nodeName: 'here',
      nodeIps: ['192.0.2.1'],
      serviceRanges: [{ cidr: '10.96.0.0/16' }],
      zone,
    },
  );
}

function linesOf({ chains, sets, elements }: Ruleset): string[] {
  return [
    ...[...chains].flatMap(([name, { rules }]) => rules.map((rule) => `${name} | ${rule}`)),
    ...[...sets].map(([name, { type, dynamicSeconds }]) => `${name} | ${type} for ${dynamicSeconds} s`),
    ...[...elements].flatMap(([name, all]) =>
      [...all].map(([key, value]) => `${name} | ${key}${value === undefined ? '' : ` : ${value}`}`),
    ),
  ];
}

/** Rules of a chain stay in their order. */
const byPlace = (lines: readonly string[]): string[] => {
  const place = (line: string): string => line.split(' | ')[0] ?? '';
  return [...lines].sort((a, b) => (place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : 0));
};

describe('the rules of a Service', () => {
  const text = readFileSync(new URL('./scenarios.yaml', import.meta.url), 'utf8');
  const scenarios: Scenario[] = parse(text);
  for (const scenario of scenarios) {
    it(scenario.name, () => {
      const plan = planOf(scenario);
      if (scenario.expect === 'none') return assert.equal(plan, undefined);
      assert.ok(plan);
      const lines = linesOf(plan.rules);
      if (scenario.expect) assert.deepEqual(byPlace(lines), byPlace(scenario.expect.trim().split('\n')));
      if (scenario.leads) {
        const led = lines.filter((line) => line.startsWith('service-default')).join();
        assert.deepEqual(led.match(/[\d.]+(?= \. 8080)/g), scenario.leads);
      }
    });
  }
});

it('a health check counts the ready endpoints of the node', () => {
  const plan = planOf({
    name: 'web',
    spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 30_100 },
    endpoints: [
      { ip: '10.244.0.2' },
      { ip: '10.244.0.3', ready: false },
      { ip: '10.244.1.2', node: 'other' },
    ],
  });
  const expected = { port: 30_100, namespace: 'default', name: 'web', localEndpoints: 1 };
  assert.deepEqual(plan?.healthCheck, expected);
});

describe('entries of UDP connections that are removed', () => {
  const udp = (...ips: string[]): PlannedService['udp'] =>
    planOf({
      name: 'web',
      spec: { type: 'NodePort', ports: [{ port: 53, protocol: 'UDP', nodePort: 30_053 }] },
      endpoints: ips.map((ip) => ({ ip })),
    })?.udp ?? [];
  const all = '-D -f ipv4 -p udp';
  const said = (before: PlannedService['udp'], after: PlannedService['udp']): string[] =>
    staleEntries(before, after).map((args) => args.join(' '));

  it('are those of endpoints that have gone', () => {
    assert.deepEqual(said(udp('10.244.0.2', '10.244.0.3'), udp('10.244.0.3', '10.244.0.4')), [
      `${all} --orig-dst 10.96.0.10 --orig-port-dst 53 --dst-nat 10.244.0.2`,
      `${all} --orig-port-dst 30053 --dst-nat 10.244.0.2`,
    ]);
    assert.equal(said(udp('10.244.0.2'), []).length, 2);
  });

  it('are all of a Service that gets its first endpoint', () => {
    assert.deepEqual(said(udp(), udp('10.244.0.2')), [
      `${all} --orig-dst 10.96.0.10 --orig-port-dst 53`,
      `${all} --orig-port-dst 30053`,
    ]);
  });

  it('are none if nothing has gone, or there were none', () => {
    assert.deepEqual(said(udp('10.244.0.2'), udp('10.244.0.2', '10.244.0.3')), []);
    assert.deepEqual(said([], udp('10.244.0.2')), []);
    assert.deepEqual(said(udp(), udp()), []);
  });
});
