// The objects that every cluster has from the start: its namespaces, its priority classes, its storage class, its roles. Made
// if they are missing, left alone if somebody changed them.
import { isAlreadyExists } from '../../api/errors.ts';
import type { KubeObject } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { priorityClasses } from '../../api/resources/priority-classes/definition.ts';
import { storageClasses } from '../../api/resources/storage-classes/definition.ts';
import { ensureDefaultRbac } from '../../apiserver/authz/ensure-default-rbac.ts';
import type { Client } from '../../client/client.ts';
import { defaultStorageClass } from '../../storage/default-class.ts';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
const PRIORITY_CLASSES = [
  { name: 'system-cluster-critical', value: 2_000_000_000, description: 'Used for system critical pods.' },
  {
    name: 'system-node-critical',
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
];

/** Idempotent; namespaces come first, since other objects may need them. */
export async function bootstrap(client: Client): Promise<void> {
  await Promise.all(NAMESPACES.map((name) => ensure(client, namespaces, { metadata: { name }, spec: {} })));
  await Promise.all([
    ...PRIORITY_CLASSES.map(({ name, value, description }) =>
      ensure(client, priorityClasses, { metadata: { name }, value, description }),
    ),
    ensure(client, storageClasses, defaultStorageClass()),
    ensureDefaultRbac(client),
  ]);
}

async function ensure<T extends KubeObject>(
  client: Client,
  resource: ResourceDefinition<T>,
  object: T,
): Promise<void> {
  try {
    await client.create(resource, object);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
