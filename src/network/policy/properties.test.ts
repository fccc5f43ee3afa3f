// What holds for all policies: the rules let through exactly what the documentation says, and it makes no difference in which
// order policies, pods and namespaces have come and gone.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type {
  LabelSelector,
  Namespace,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  Pod,
} from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { present } from '../../base/present.ts';
import { merge, type Ruleset } from '../nftables/ruleset.ts';
import { difference } from '../nftables/script.ts';
import { IPV4, IPV6 } from '../proxy/family.ts';
import { PolicyBook } from './book.ts';
import { factsOf } from './pod-facts.ts';
import { readPolicy } from './policy.ts';
import { type End, isAllowed } from './test-evaluator.ts';
import { passes } from './test-interpreter.ts';
import { podOf, policyOf } from './test-objects.ts';

const FAMILIES = [IPV4, IPV6];
const NAMESPACES = ['a', 'b'];
const PORTS = [80, 81, 443, 9000];
const OUTSIDE = ['192.0.2.1', '192.0.2.200', '2001:db8::1'];

const labels: fc.Arbitrary<Record<string, string>> = fc
  .tuple(fc.constantFrom(undefined, 'x', 'y'), fc.constantFrom(undefined, '1', '2'))
  .map(([app, tier]) => ({ ...(app && { app }), ...(tier && { tier }) }));
const selector: fc.Arbitrary<LabelSelector> = fc.oneof(
  fc.constant({}),
  labels.map((matchLabels) => ({ matchLabels })),
  fc.constantFrom('In', 'NotIn').map((operator) => ({
    matchExpressions: [{ key: 'app', operator, values: ['x', 'z'] }],
  })),
  fc
    .constantFrom('Exists', 'DoesNotExist')
    .map((operator) => ({ matchExpressions: [{ key: 'tier', operator }] })),
);
const block: fc.Arbitrary<NetworkPolicyPeer> = fc
  .constantFrom<Array<[string, string[]]>>(
    ['0.0.0.0/0', []],
    ['0.0.0.0/0', ['10.0.0.0/30', '192.0.2.128/25']],
    ['192.0.2.0/24', ['192.0.2.200/32']],
    ['10.0.0.2/32', []],
    ['::/0', ['2001:db8::/32']],
    ['fd00::/64', ['fd00::4/126']],
  )
  .map(([cidr, except]) => ({ ipBlock: { cidr, ...(except.length > 0 && { except }) } }));
const peer: fc.Arbitrary<NetworkPolicyPeer> = fc.oneof(
  selector.map((podSelector) => ({ podSelector })),
  selector.map((namespaceSelector) => ({ namespaceSelector })),
  fc
    .tuple(selector, selector)
    .map(([podSelector, namespaceSelector]) => ({ podSelector, namespaceSelector })),
  block,
);
const port: fc.Arbitrary<NetworkPolicyPort> = fc
  .record({
    protocol: fc.option(fc.constantFrom('TCP', 'UDP', 'SCTP')),
    port: fc.option(fc.constantFrom<Array<number | string>>(80, 443, 'web', 'dns')),
    length: fc.option(fc.constantFrom(0, 1, 400)),
  })
  .map(({ protocol, port: first, length }) =>
    present({
      protocol: protocol ?? 'TCP',
      port: first ?? undefined,
      endPort: typeof first === 'number' && length !== null ? first + length : undefined,
    }),
  );
const rule = fc.record({
  peers: fc.option(fc.array(peer, { maxLength: 2 })),
  ports: fc.option(fc.array(port, { maxLength: 2 })),
});
const policy: fc.Arbitrary<Stored<NetworkPolicy>> = fc
  .record({
    name: fc.constantFrom('p1', 'p2', 'p3'),
    namespace: fc.constantFrom(...NAMESPACES),
    podSelector: selector,
    ingress: fc.option(fc.array(rule, { maxLength: 2 })),
    egress: fc.option(fc.array(rule, { maxLength: 2 })),
    policyTypes: fc.option(fc.subarray(['Ingress', 'Egress'], { minLength: 1 })),
  })
  .map(({ name, namespace, podSelector, ingress, egress, policyTypes }) =>
    policyOf(
      name,
      present({
        podSelector,
        policyTypes: policyTypes ?? undefined,
        ingress: ingress?.map(({ peers, ports }) =>
          present({ from: peers ?? undefined, ports: ports ?? undefined }),
        ),
        egress: egress?.map(({ peers, ports }) =>
          present({ to: peers ?? undefined, ports: ports ?? undefined }),
        ),
      }),
      namespace,
    ),
  );
const pod: fc.Arbitrary<Stored<Pod>> = fc
  .record({
    number: fc.constantFrom(1, 2, 3, 4, 5),
    namespace: fc.constantFrom(...NAMESPACES),
    labels,
    families: fc.constantFrom(1, 2),
    web: fc.constantFrom(80, 81, 443),
  })
  .map(({ number, namespace, labels: own, families, web }) =>
    podOf({
      name: `pod-${number}`,
      namespace,
      labels: own,
      addresses: [`10.0.0.${number}`, `fd00::${number}`].slice(0, families),
      ports: [
        { name: 'web', containerPort: web },
        { name: 'dns', protocol: 'UDP', containerPort: 443 },
      ],
    }),
  );

type Step =
  | { pod: Stored<Pod> }
  | { noPod: number }
  | { policy: Stored<NetworkPolicy> }
  | { noPolicy: Stored<NetworkPolicy> }
  | { namespace: string; labels: Record<string, string> | undefined };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: pod.map((one) => ({ pod: one })) },
  { weight: 1, arbitrary: fc.constantFrom(1, 2, 3, 4, 5).map((noPod) => ({ noPod })) },
  { weight: 4, arbitrary: policy.map((one) => ({ policy: one })) },
  { weight: 1, arbitrary: policy.map((noPolicy) => ({ noPolicy })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...NAMESPACES), fc.option(labels))
      .map(([namespace, own]) => ({ namespace, labels: own ?? undefined })),
  },
);

/** What there is in the end. */
class World {
  readonly pods = new Map<string, Stored<Pod>>();
  readonly policies = new Map<string, Stored<NetworkPolicy>>();
  readonly namespaces = new Map<string, Record<string, string>>();

  take(step: Step): void {
    if ('pod' in step) this.pods.set(step.pod.metadata.name, step.pod);
    else if ('noPod' in step) this.pods.delete(`pod-${step.noPod}`);
    else if ('policy' in step) this.policies.set(keyOf(step.policy), step.policy);
    else if ('noPolicy' in step) this.policies.delete(keyOf(step.noPolicy));
    else if (step.labels) this.namespaces.set(step.namespace, step.labels);
    else this.namespaces.delete(step.namespace);
  }
}

const keyOf = ({ metadata: { namespace, name } }: Stored<NetworkPolicy>): string => `${namespace}/${name}`;

const newBook = (): PolicyBook => new PolicyBook({ bridge: 'stead0', families: FAMILIES });

function take(book: PolicyBook, step: Step): void {
  const setPod = (name: string, one?: Stored<Pod>): void =>
    book.setPods(
      new Map([
        [
          name,
          one &&
            factsOf(
              one,
              (one.status?.podIPs ?? []).map(({ ip }) => ip ?? ''),
              FAMILIES,
            ),
        ],
      ]),
    );
  if ('pod' in step) setPod(step.pod.metadata.name, step.pod);
  else if ('noPod' in step) setPod(`pod-${step.noPod}`);
  else if ('policy' in step) book.setPolicy(readPolicy(step.policy));
  else if ('noPolicy' in step) {
    const { namespace = '', name } = step.noPolicy.metadata;
    book.removePolicy(namespace, name);
  } else book.setNamespace(step.namespace, step.labels);
}

/** The same words, whatever order they came in. */
function spelled({ chains, sets, elements }: Ruleset): unknown {
  const sorted = <T>(map: ReadonlyMap<string, T>): Array<[string, T]> =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return [sorted(chains), sorted(sets), sorted(elements).map(([name, some]) => [name, sorted(some)])];
}

describe('the rules of policies', () => {
  it('are the same in whatever order things have come and gone', () => {
    void fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const world = new World();
        const book = newBook();
        let before = book.ruleset();
        let inKernel = before;
        for (const one of steps) {
          world.take(one);
          take(book, one);
          const after = book.ruleset();
          // What was given away stays as it was: the difference is made of it.
          assert.deepEqual(spelled(before), spelled(inKernel));
          before = after;
          inKernel = structuredClone(after);
          assert.ok(difference('stead', merge([before]), merge([after])));
        }
        const fresh = newBook();
        for (const one of world.policies.values()) fresh.setPolicy(readPolicy(one));
        for (const one of world.pods.values()) take(fresh, { pod: one });
        for (const [namespace, own] of world.namespaces) fresh.setNamespace(namespace, own);
        assert.deepEqual(spelled(book.ruleset()), spelled(fresh.ruleset()));
      }),
      { numRuns: 150 },
    );
  });

  it('let through what the documentation says, and nothing else', () => {
    let allowed = 0;
    let denied = 0;
    void fc.assert(
      fc.property(
        fc.array(step, { minLength: 10, maxLength: 25 }),
        fc.constantFrom('TCP', 'UDP', 'SCTP'),
        (steps, protocol) => {
          const world = new World();
          const book = newBook();
          for (const one of steps) {
            world.take(one);
            take(book, one);
          }
          const rules = book.ruleset();
          const cluster = {
            policies: [...world.policies.values()],
            namespaces: [...world.namespaces].map(
              ([name, own]): Namespace => ({ metadata: { name, labels: own }, spec: {} }),
            ),
          };
          const ends: End[] = [
            ...[...world.pods.values()].flatMap((one) =>
              (one.status?.podIPs ?? []).map(({ ip }) => ({ address: ip ?? '', pod: one })),
            ),
            ...OUTSIDE.map((address) => ({ address })),
          ];
          for (const from of ends) {
            for (const to of ends) {
              if (from.address.includes(':') !== to.address.includes(':')) continue;
              if (!from.pod && !to.pod) continue;
              for (const number of PORTS) {
                const expected = isAllowed(cluster, from, to, number, protocol);
                const packet = {
                  from: from.address,
                  to: to.address,
                  protocol:
                    protocol === 'TCP'
                      ? ('tcp' as const)
                      : protocol === 'UDP'
                        ? ('udp' as const)
                        : ('sctp' as const),
                  port: number,
                  iif: from.pod ? 'stead0' : 'eth0',
                  oif: to.pod ? 'stead0' : 'eth0',
                };
                if (expected) allowed++;
                else denied++;
                assert.equal(
                  passes(rules, packet),
                  expected,
                  `${from.address} to ${to.address} ${protocol} ${number}`,
                );
              }
            }
          }
        },
      ),
      { numRuns: 400 },
    );
    // It has not compared one answer with itself.
    assert.ok(allowed > 1_000 && denied > 1_000, `${allowed} allowed, ${denied} denied`);
  });
});
