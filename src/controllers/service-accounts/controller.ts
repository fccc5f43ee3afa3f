// What every namespace has from its first moment: the ServiceAccount `default`, and the ConfigMap with the cluster's
// CA certificate that pods mount. Follows pkg/controller/serviceaccount/serviceaccounts_controller.go and
// pkg/controller/certificates/rootcacertpublisher.
import { isAlreadyExists, isNotFound, isReason } from '../../api/errors.ts';
import type { ConfigMap, ServiceAccount } from '../../api/generated/types.ts';
import { isTerminating, type ObjectKey, type Stored } from '../../api/objects.ts';
import { configMaps } from '../../api/resources/config-maps/definition.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { serviceAccounts } from '../../api/resources/service-accounts/definition.ts';
import { itself, runController, type Watch, watch } from '../../client/controller.ts';
import type { RunContext } from '../../client/run-context.ts';
import { planNamespaceDefaults, ROOT_CA_NAME, SERVICE_ACCOUNT_NAME } from './plan.ts';

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
  const { client, informers } = context;
  const allNamespaces = informers.of(namespaces);
  const accounts = informers.of(serviceAccounts);
  const maps = informers.of(configMaps);

  const create = async (write: () => Promise<unknown>): Promise<void> => {
    try {
      await write();
    } catch (error) {
      const leaving = isNotFound(error) || isReason(error, 'Forbidden');
      // Somebody was quicker, or the namespace is going: there is nothing left to make.
      if (!isAlreadyExists(error) && !leaving) throw error;
    }
  };
  const itsNamespace = (wanted: string) => (object: Stored) => {
    const { name, namespace } = object.metadata;
    return name === wanted && namespace ? [{ name: namespace }] : [];
  };
  const ofMap = itsNamespace(ROOT_CA_NAME);
  const newRoot: Watch<ObjectKey> = {
    start: (queue) =>
      rootCertificate.onChange(() => {
        for (const { metadata } of allNamespaces.list()) queue.add(metadata);
      }),
  };

  await runController(context, 'serviceaccount', {
    workers: 4,
    watches: [
      watch(allNamespaces, { changed: itself }),
      newRoot,
      watch(accounts, { deleted: itsNamespace(SERVICE_ACCOUNT_NAME) }),
      watch(maps, { updated: ofMap, deleted: ofMap }),
    ],
    async reconcile({ name }) {
      const namespace = allNamespaces.get(undefined, name);
      if (!namespace || isTerminating(namespace)) return;
      const { account, newMap, changedMap } = planNamespaceDefaults({
        namespace: name,
        account: accounts.get(name, SERVICE_ACCOUNT_NAME),
        configMap: maps.get(name, ROOT_CA_NAME),
        rootCertificate: rootCertificate.current(),
      });
      if (account) await create(() => client.create<ServiceAccount>(serviceAccounts, account));
      if (newMap) await create(() => client.create<ConfigMap>(configMaps, newMap));
      if (changedMap) await client.update(configMaps, changedMap);
    },
  });
}
