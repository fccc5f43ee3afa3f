// What every namespace has from its first moment: the ServiceAccount `default`, and the ConfigMap with the cluster's
// CA certificate that pods mount. Follows pkg/controller/serviceaccount/serviceaccounts_controller.go and
// pkg/controller/certificates/rootcacertpublisher.
import { isAlreadyExists, isNotFound, isReason } from '../../api/errors.ts';
import type { ConfigMap, ServiceAccount } from '../../api/generated/types.ts';
import { isTerminating, type KubeObject, type Stored } from '../../api/objects.ts';
import { configMaps } from '../../api/resources/config-maps/definition.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { serviceAccounts } from '../../api/resources/service-accounts/definition.ts';
import type { RunContext } from '../../client/run-context.ts';
import { runWorkers } from '../../client/run-workers.ts';
import { WorkQueue } from '../../client/work-queue.ts';
import { planNamespaceDefaults, ROOT_CA_NAME, SERVICE_ACCOUNT_NAME } from './plan.ts';

const WORKERS = 4;

/** Whom clients of the API server are to trust. */
export interface RootCertificate {
  /** The CA certificate, PEM; several, while one authority follows another. */
  current(): string;
  /** Calls back when there is another. Returns what ends that. */
  onChange(listener: () => void): () => void;
}

/** One that stays as it is. */
export function fixedRoot(pem: string): RootCertificate {
  return { current: () => pem, onChange: () => () => {} };
}

/** Runs until the context's signal. */
export async function runServiceAccountsController(
  context: RunContext,
  rootCertificate: RootCertificate,
): Promise<void> {
  const { client, informers, clock, log, signal } = context;
  const queue = new WorkQueue(clock, context.queues?.named('serviceaccount'));
  const namespaceInformer = informers.of(namespaces);
  const accounts = informers.of(serviceAccounts);
  const maps = informers.of(configMaps);
  try {
    await Promise.all([namespaceInformer.synced(), accounts.synced(), maps.synced()]);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }

  const create = async (write: () => Promise<unknown>): Promise<void> => {
    try {
      await write();
    } catch (error) {
      const leaving = isNotFound(error) || isReason(error, 'Forbidden');
      // Somebody was quicker, or the namespace is going: there is nothing left to make.
      if (!isAlreadyExists(error) && !leaving) throw error;
    }
  };

  const reconcile = async (name: string): Promise<void> => {
    const namespace = namespaceInformer.get(undefined, name);
    if (!namespace || isTerminating(namespace)) return;
    const plan = planNamespaceDefaults({
      namespace: name,
      account: accounts.get(name, SERVICE_ACCOUNT_NAME),
      configMap: maps.get(name, ROOT_CA_NAME),
      rootCertificate: rootCertificate.current(),
    });
    const { account, newMap, changedMap } = plan;
    if (account) await create(() => client.create<ServiceAccount>(serviceAccounts, account));
    if (newMap) await create(() => client.create<ConfigMap>(configMaps, newMap));
    if (changedMap) await client.update(configMaps, changedMap);
  };

  const ownNamespace = (wanted: string) => (object: Stored<KubeObject>) => {
    if (object.metadata.name === wanted && object.metadata.namespace) queue.add(object.metadata.namespace);
  };
  const mapChanged = ownNamespace(ROOT_CA_NAME);
  const unsubscribe = [
    namespaceInformer.subscribe({
      added: (namespace) => queue.add(namespace.metadata.name),
      updated: (namespace) => queue.add(namespace.metadata.name),
    }),
    rootCertificate.onChange(() => {
      for (const { metadata } of namespaceInformer.list()) queue.add(metadata.name);
    }),
    accounts.subscribe({ deleted: ownNamespace(SERVICE_ACCOUNT_NAME) }),
    maps.subscribe({ updated: mapChanged, deleted: mapChanged }),
  ];
  await runWorkers(queue, WORKERS, reconcile, log, signal);
  for (const end of unsubscribe) end();
}
