// The API objects that volumes are made of, fetched when they are needed: a node must not hold every secret of the
// cluster in memory.
import { isNotFound } from '../../api/errors.ts';
import type {
  ConfigMap,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Secret,
  ServiceAccountTokenProjection,
  TokenRequest,
} from '../../api/generated/types.ts';
import type { KubeObject, ObjectKey, Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { configMaps } from '../../api/resources/config-maps/definition.ts';
import { persistentVolumeClaims } from '../../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../../api/resources/persistent-volumes/definition.ts';
import { secrets } from '../../api/resources/secrets/definition.ts';
import { serviceAccounts } from '../../api/resources/service-accounts/definition.ts';
import type { Client } from '../../client/client.ts';

/** Objects that are not there are undefined; any other failure is thrown. */
export interface VolumeObjects {
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
  claim(namespace: string, name: string): Promise<PersistentVolumeClaim | undefined>;
  volume(name: string): Promise<PersistentVolume | undefined>;
  /** A new token of the pod's service account that ends with the pod. */
  token(pod: Stored<Pod>, projection: ServiceAccountTokenProjection): Promise<string>;
}

const DEFAULT_TOKEN_SECONDS = 3600;

export function volumeObjects(client: Client): VolumeObjects {
  const find = <T extends KubeObject>(
    resource: ResourceDefinition<T>,
    key: ObjectKey,
  ): Promise<Stored<T> | undefined> =>
    client.get(resource, key).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  return {
    configMap: (namespace, name) => find(configMaps, { namespace, name }),
    secret: (namespace, name) => find(secrets, { namespace, name }),
    claim: (namespace, name) => find(persistentVolumeClaims, { namespace, name }),
    volume: (name) => find(persistentVolumes, { name }),
    async token(pod, projection) {
      const { namespace, name, uid } = pod.metadata;
      const request: TokenRequest = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: {},
        spec: {
          audiences: projection.audience ? [projection.audience] : [],
          expirationSeconds: projection.expirationSeconds ?? DEFAULT_TOKEN_SECONDS,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
        },
      };
      const account = { namespace, name: pod.spec?.serviceAccountName ?? 'default' };
      const answer: TokenRequest & KubeObject = {
        ...request,
        ...(await client.createSubresource(serviceAccounts, account, 'token', request)),
      };
      return answer.status?.token ?? '';
    },
  };
}
