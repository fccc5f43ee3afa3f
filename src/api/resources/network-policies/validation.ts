// What may stand in a NetworkPolicy (pkg/apis/networking/validation, ValidateNetworkPolicySpec): peers, ports, ranges of
// addresses. What a policy does to traffic is not here.
import { includesRange, parseIpRange } from '../../../base/ip.ts';
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '../../errors.ts';
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../generated/types.ts';
import { portName } from '../../names.ts';
import { validateLabelSelector } from '../../selectors.ts';
import { checked, portNumber } from '../../validation/field-rules.ts';
import { addressRange, rangeWarnings } from '../../validation/ip-rules.ts';

const PROTOCOLS: readonly string[] = ['TCP', 'UDP', 'SCTP'];
const POLICY_TYPES: readonly string[] = ['Ingress', 'Egress'];

/** One rule of either direction, and where it stands. */
interface Rule {
  ports: readonly NetworkPolicyPort[];
  peers: readonly NetworkPolicyPeer[];
  path: string;
  /** The field of its peers. */
  field: 'from' | 'to';
}

function rulesOf({ spec }: NetworkPolicy): Rule[] {
  const ingress = (spec?.ingress ?? []).map(
    ({ ports = [], from: peers = [] }, index): Rule => ({
      ports,
      peers,
      path: `spec.ingress[${index}]`,
      field: 'from',
    }),
  );
  const egress = (spec?.egress ?? []).map(
    ({ ports = [], to: peers = [] }, index): Rule => ({
      ports,
      peers,
      path: `spec.egress[${index}]`,
      field: 'to',
    }),
  );
  return [...ingress, ...egress];
}

/** What is wrong with a new policy. */
export function validateNetworkPolicy(policy: NetworkPolicy): FieldError[] {
  return validate(policy, new Set());
}

/** What is wrong with a changed policy: ranges that it had before are let through as they are. */
export function validateNetworkPolicyUpdate(policy: NetworkPolicy, old: NetworkPolicy): FieldError[] {
  const blocks = rulesOf(old).flatMap(({ peers }) => peers.flatMap(({ ipBlock }) => ipBlock ?? []));
  return validate(policy, new Set(blocks.flatMap(({ cidr, except = [] }) => [cidr, ...except])));
}

function validate(policy: NetworkPolicy, known: ReadonlySet<string>): FieldError[] {
  const { podSelector, policyTypes = [] } = policy.spec ?? {};
  const errors = [
    ...validateLabelSelector(podSelector, 'spec.podSelector'),
    ...rulesOf(policy).flatMap(({ ports, peers, path, field }) => [
      ...ports.flatMap((port, index) => validatePort(port, `${path}.ports[${index}]`)),
      ...peers.flatMap((peer, index) => validatePeer(peer, known, `${path}.${field}[${index}]`)),
    ]),
  ];
  if (policyTypes.length > POLICY_TYPES.length) {
    const why = 'may not specify more than two policyTypes';
    return [...errors, invalidValue('spec.policyTypes', policyTypes, why)];
  }
  for (const [index, type] of policyTypes.entries()) {
    if (POLICY_TYPES.includes(type)) continue;
    errors.push(notSupported(`spec.policyTypes[${index}]`, type, POLICY_TYPES));
  }
  return errors;
}

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (protocol !== undefined && !PROTOCOLS.includes(protocol)) {
    errors.push(notSupported(`${path}.protocol`, protocol, PROTOCOLS));
  }
  const end = `${path}.endPort`;
  if (typeof port === 'number') {
    errors.push(...portNumber(port, `${path}.port`));
    if (endPort === undefined) return errors;
    if (endPort < port) errors.push(invalidValue(end, port, 'must be greater than or equal to `port`'));
    return [...errors, ...portNumber(endPort, end)];
  }
  if (endPort !== undefined) {
    const why = port === undefined ? '`port` is not specified' : '`port` is non-numeric';
    errors.push(invalidValue(end, endPort, `may not be specified when ${why}`));
  }
  return port === undefined ? errors : [...errors, ...checked(port, `${path}.port`, portName)];
}

function validatePeer(
  { podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer,
  known: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const errors = [
    ...validateLabelSelector(podSelector, `${path}.podSelector`),
    ...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`),
    ...(ipBlock ? validateBlock(ipBlock, known, `${path}.ipBlock`) : []),
  ];
  if (!podSelector && !namespaceSelector && !ipBlock) errors.push(required(path, 'must specify a peer'));
  else if (ipBlock && (podSelector || namespaceSelector)) {
    errors.push(forbiddenField(path, 'may not specify both ipBlock and another peer'));
  }
  return errors;
}

function validateBlock(
  { cidr, except = [] }: IPBlock,
  known: ReadonlySet<string>,
  path: string,
): FieldError[] {
  if (!cidr) return [required(`${path}.cidr`)];
  const range = (value: string, at: string): FieldError[] =>
    known.has(value) ? [] : addressRange(value, at);
  const errors = range(cidr, `${path}.cidr`);
  const block = parseIpRange(cidr);
  if (!block) return errors;
  for (const [index, value] of except.entries()) {
    const at = `${path}.except[${index}]`;
    errors.push(...range(value, at));
    const hole = parseIpRange(value);
    if (!hole || (includesRange(block, hole) && block.prefix < hole.prefix)) continue;
    errors.push(invalidValue(at, value, 'must be a strict subset of `cidr`'));
  }
  return errors;
}

/** Ranges that are valid, but written in a form that others may not read. */
export function networkPolicyWarnings(policy: NetworkPolicy): string[] {
  return rulesOf(policy).flatMap(({ peers, path, field }) =>
    peers.flatMap(({ ipBlock }, index) => {
      if (!ipBlock) return [];
      const at = `${path}.${field}[${index}].ipBlock`;
      return [
        ...rangeWarnings(ipBlock.cidr, `${at}.cidr`),
        ...(ipBlock.except ?? []).flatMap((value, i) => rangeWarnings(value, `${at}.except[${i}]`)),
      ];
    }),
  );
}
