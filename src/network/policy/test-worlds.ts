// Random worlds for tests of policies: steps in which policies, pods and namespaces come, change and go, few enough of each
// that they meet.
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
import { IPV4, IPV6 } from '../proxy/family.ts';
import { PolicyBook } from './book.ts';
import { factsOf } from './pod-facts.ts';
import { readPolicy } from './policy.ts';
import type { Cluster, End } from './test-evaluator.ts';
import { podOf, policyOf } from './test-objects.ts';

const FAMILIES = [IPV4, IPV6];
const NAMESPACES = ['a', 'b'];
export const PORTS = [80, 81, 443, 9000];
/** The pods' numbers, which are in their addresses. */
export const NUMBERS = [2, 3, 4, 5, 6];

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
    ['0.0.0.0/0', ['10.244.0.4/30', '192.0.2.128/25']],
    ['192.0.2.0/24', ['192.0.2.200/32']],
    ['10.244.0.2/32', []],
    ['::/0', ['2001:db8::/32']],
    ['fd00:244::/64', ['fd00:244::4/126']],
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
    number: fc.constantFrom(...NUMBERS),
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
      addresses: [`10.244.0.${number}`, `fd00:244::${number}`].slice(0, families),
      ports: [
        { name: 'web', containerPort: web },
        { name: 'dns', protocol: 'UDP', containerPort: 443 },
      ],
    }),
  );

export type Step =
  | { pod: Stored<Pod> }
  | { noPod: number }
  | { policy: Stored<NetworkPolicy> }
  | { noPolicy: Stored<NetworkPolicy> }
  | { namespace: string; labels: Record<string, string> | undefined };

export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: pod.map((one) => ({ pod: one })) },
  { weight: 1, arbitrary: fc.constantFrom(...NUMBERS).map((noPod) => ({ noPod })) },
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
export class World {
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

  get cluster(): Cluster {
    return {
      policies: [...this.policies.values()],
      namespaces: [...this.namespaces].map(
        ([name, labels]): Namespace => ({ metadata: { name, labels }, spec: {} }),
      ),
    };
  }

  /** Every pod under each of its addresses. */
  get ends(): End[] {
    return [...this.pods.values()].flatMap((pod) =>
      (pod.status?.podIPs ?? []).map(({ ip }) => ({ address: ip ?? '', pod })),
    );
  }
}

const keyOf = ({ metadata: { namespace, name } }: Stored<NetworkPolicy>): string => `${namespace}/${name}`;

export const newBook = (): PolicyBook =>
  new PolicyBook({ bridge: 'stead0', podRanges: [], families: FAMILIES });

export function take(book: PolicyBook, step: Step): void {
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
