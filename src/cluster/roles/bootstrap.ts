// The objects that every cluster has from the start: its namespaces, its priority classes, its storage class, its roles. Made
// if they are missing, left alone if somebody changed them.
import { isAlreadyExists } from '../../api/errors.ts';
import type { KubeObject } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { priorityClasses } from '../../api/resources/priority-classes/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { storageClasses } from '../../api/resources/storage-classes/definition.ts';
import { ensureDefaultRbac } from '../../apiserver/authz/ensure-default-rbac.ts';
import type { Log } from '../../base/log.ts';
import type { Client } from '../../client/client.ts';
import { kubernetesService } from '../../controllers/kubernetes-service/plan.ts';
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

/**
 * The Service by which pods find the API: there before the first pod, which is told of it when it starts. Its controller
 * (controllers/kubernetes-service) keeps it; what stands in the way here, that one tries again.
 */
export async function ensureKubernetesService(
  client: Client,
  clusterIp: string,
  port: number,
  log: Log,
): Promise<void> {
  await ensure(client, services, kubernetesService(clusterIp, port)).catch((error: unknown) =>
    log.error('the Service of the API cannot be made', error),
  );
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
