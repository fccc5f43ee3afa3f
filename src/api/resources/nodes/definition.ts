// The Node resource. A node registers itself with its status, so creation keeps the status given.

import { conditionOf } from '../../conditions.ts';
import type { Node } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, nameColumn, wideColumn } from '../shared/columns.ts';
import { keepStatus } from '../shared/status-strategy.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { nodeTypes } from './types.ts';
import { validateNode, validateNodeUpdate } from './validation.ts';

const ROLE_PREFIX = 'node-role.kubernetes.io/';

function readiness(node: Node): string {
  const ready = conditionOf(node, 'Ready');
  const words = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'];
  if (node.spec.unschedulable) words.push('SchedulingDisabled');
  return words.join(',');
}

/** From the labels `node-role.kubernetes.io/ROLE` and `kubernetes.io/role=ROLE`. */
function roles(node: Node): string {
  const found = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length)
      found.add(key.slice(ROLE_PREFIX.length));
    else if (key === 'kubernetes.io/role' && value !== '') found.add(value);
  }
  return [...found].sort().join(',') || '<none>';
}

function address(node: Node, type: string): string {
  return node.status?.addresses?.find((it) => it.type === type)?.address ?? '<none>';
}

export const nodes: ResourceDefinition<Node> = {
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  singular: 'node',
  shortNames: ['no'],
  categories: [],
  namespaced: false,
  schema: 'Node',
  types: [nodeTypes],
  verbs: ALL_VERBS,
  hasStatus: true,
  selectableFields: { 'spec.unschedulable': (node) => `${node.spec.unschedulable ?? false}` },
  columns: [
    nameColumn(),
    column('Status', 'The status of the node', readiness),
    column('Roles', 'The roles of the node', roles),
    ageColumn(),
    column('Version', 'Version of the node agent.', (node) => node.status?.nodeInfo?.kubeletVersion ?? ''),
    wideColumn('Internal-IP', 'Address inside the cluster.', (node) => address(node, 'InternalIP')),
    wideColumn('External-IP', 'Address outside the cluster.', (node) => address(node, 'ExternalIP')),
    wideColumn('OS-Image', 'The operating system.', (node) => node.status?.nodeInfo?.osImage || '<unknown>'),
    wideColumn(
      'Kernel-Version',
      'The kernel.',
      (node) => node.status?.nodeInfo?.kernelVersion || '<unknown>',
    ),
    wideColumn(
      'Container-Runtime',
      'What runs the containers.',
      (node) => node.status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
    ),
  ],
  strategy: {
    prepareForUpdate: keepStatus,
    validateCreate: validateNode,
    validateUpdate: validateNodeUpdate,
    validateStatusUpdate: validateNodeUpdate,
  },
};
