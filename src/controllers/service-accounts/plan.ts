// What a namespace still lacks of what every namespace has. A pure function.
import type { ConfigMap, ServiceAccount } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';

export const SERVICE_ACCOUNT_NAME = 'default';
export const ROOT_CA_NAME = 'kube-root-ca.crt';
const CERTIFICATE_KEY = 'ca.crt';
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

export interface NamespaceDefaults {
  namespace: string;
  account: Stored<ServiceAccount> | undefined;
  configMap: Stored<ConfigMap> | undefined;
  rootCertificate: string;
}

export interface NamespaceDefaultsPlan {
  account?: ServiceAccount;
  newMap?: ConfigMap;
  changedMap?: Stored<ConfigMap>;
}

export function planNamespaceDefaults(observed: NamespaceDefaults): NamespaceDefaultsPlan {
  const { namespace, account, configMap, rootCertificate } = observed;
  const data = { [CERTIFICATE_KEY]: rootCertificate };
  const annotations = { 'kubernetes.io/description': DESCRIPTION };
  const plan: NamespaceDefaultsPlan = {};
  if (!account) {
    plan.account = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace, name: SERVICE_ACCOUNT_NAME },
    };
  }
  if (!configMap) {
    const metadata = { namespace, name: ROOT_CA_NAME, annotations };
    plan.newMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
  } else if (
    configMap.data?.[CERTIFICATE_KEY] !== rootCertificate ||
    Object.keys(configMap.data).length !== 1
  ) {
    plan.changedMap = { ...configMap, data };
  }
  return plan;
}
