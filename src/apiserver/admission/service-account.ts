// A pod that names no service account runs as its namespace's `default`; the account must be there; and the pod gets
// a token of it, unless it or the account says no. Which secrets it may use is mountable-secrets.ts'. Follows plugin/pkg/admission/serviceaccount/admission.go.

import { forbidden, notFound } from '../../api/errors.ts';
import type { Container, Pod, PodSpec, ServiceAccount, Volume } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { randomSuffix, sleep } from '../../base/clock.ts';
import { type AdmissionContext, type AdmissionPlugin, objectOf } from './admission.ts';
import { ephemeralSecretsRefusal, secretsRefusal } from './mountable-secrets.ts';

const DEFAULT_ACCOUNT = 'default';
const MIRROR_POD = 'kubernetes.io/config.mirror';
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const VOLUME_PREFIX = 'kube-api-access-';
/** An hour, and the seven seconds by which upstream knows such tokens. */
const TOKEN_SECONDS = 3607;
/** What is filled in of a pod's spec. */
const FILLED_IN = [
  'serviceAccountName',
  'serviceAccount',
  'containers',
  'initContainers',
  'imagePullSecrets',
] as const;
/** A new namespace's default account is made by a controller, moments later. */
const LOOKUPS = 10;
const LOOKUP_INTERVAL_MS = 100;

export const serviceAccount: AdmissionPlugin = {
  name: 'ServiceAccount',
  async admit(request, context) {
    const pod = request.operation === 'CREATE' ? objectOf<Pod>(request, '', 'Pod') : undefined;
    if (!pod?.spec || pod.metadata.annotations?.[MIRROR_POD] !== undefined) return request.object;
    const { spec } = pod;
    const name = spec.serviceAccountName || spec.serviceAccount || DEFAULT_ACCOUNT;
    const namespace = request.key.namespace ?? '';
    const account = await find(namespace, name, context);
    if (!account) {
      const missing = notFound({ group: '', plural: 'serviceaccount', kind: 'ServiceAccount' }, name).message;
      const why = `error looking up service account ${namespace}/${name}: ${missing}`;
      throw forbidden(request.resource, request.key.name, why);
    }
    const next = { ...spec, serviceAccountName: name, serviceAccount: name };
    if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true)
      mountToken(next, context);
    if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length)
      next.imagePullSecrets = account.imagePullSecrets;
    const isSame = FILLED_IN.every((field) => next[field] === spec[field]);
    return isSame ? pod : { ...pod, spec: next };
  },
  async validate(request, context) {
    const { operation, resource, subresource, key, object } = request;
    if (resource.group !== '' || resource.kind !== 'Pod') return;
    const isNew = operation === 'CREATE' && !subresource;
    if (!isNew && subresource !== 'ephemeralcontainers') return;
    // The resource decides the type.
    const pod = object as Pod;
    const isMirror = pod.metadata.annotations?.[MIRROR_POD] !== undefined;
    const why =
      isNew && isMirror
        ? mirrorRefusal(pod)
        : await accountRefusal(
            pod,
            key.namespace ?? '',
            isNew ? secretsRefusal : ephemeralSecretsRefusal,
            context,
          );
    if (why) throw forbidden(resource, key.name, why);
  },
};

/** A node's own pod has no identity and no secrets in the cluster. */
function mirrorRefusal({ spec }: Pod): string | undefined {
  if (spec.serviceAccountName) return 'a mirror pod may not reference service accounts';
  const volumes = spec.volumes ?? [];
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  const usesSecrets =
    volumes.some(({ secret, projected }) => secret ?? projected?.sources?.some((source) => source.secret)) ||
    containers.some(
      ({ env, envFrom }) =>
        env?.some(({ valueFrom }) => valueFrom?.secretKeyRef) || envFrom?.some(({ secretRef }) => secretRef),
    ) ||
    spec.imagePullSecrets?.length;
  if (usesSecrets) return 'a mirror pod may not reference secrets';
  return volumes.some(({ projected }) => projected?.sources?.some((source) => source.serviceAccountToken))
    ? 'a mirror pod may not use ServiceAccountToken volume projections'
    : undefined;
}

async function accountRefusal(
  pod: Pod,
  namespace: string,
  refusal: (pod: Pod, account: Stored<ServiceAccount>) => string | undefined,
  context: AdmissionContext,
): Promise<string | undefined> {
  const name = pod.spec.serviceAccountName ?? DEFAULT_ACCOUNT;
  const account = await context.find('', 'serviceaccounts', { namespace, name });
  // The resource decides the type.
  return account && refusal(pod, account as Stored<ServiceAccount>);
}

async function find(
  namespace: string,
  name: string,
  context: AdmissionContext,
): Promise<Stored<ServiceAccount> | undefined> {
  const lookups = name === DEFAULT_ACCOUNT ? LOOKUPS : 1;
  for (let lookup = 1; ; lookup++) {
    const found = await context.find('', 'serviceaccounts', { namespace, name });
    // The resource decides the type.
    if (found) return found as Stored<ServiceAccount>;
    if (lookup >= lookups) return undefined;
    await sleep(context.clock, LOOKUP_INTERVAL_MS);
  }
}

/** Gives every container of a new spec the token, but for those that mount something of their own there. */
function mountToken(spec: PodSpec, { random }: AdmissionContext): void {
  const { volumes = [] } = spec;
  const existing = volumes.find((volume) => volume.name.startsWith(VOLUME_PREFIX));
  const name = existing?.name ?? VOLUME_PREFIX + randomSuffix(random);
  let isMounted = false;
  const mount = (container: Container): Container => {
    const { volumeMounts = [] } = container;
    if (volumeMounts.some(({ mountPath }) => mountPath === MOUNT_PATH)) return container;
    isMounted = true;
    const mounts = [...volumeMounts, { name, readOnly: true, mountPath: MOUNT_PATH }];
    return { ...container, volumeMounts: mounts };
  };
  const containers = spec.containers?.map(mount);
  const initContainers = spec.initContainers?.map(mount);
  if (!isMounted) return;
  spec.containers = containers;
  if (initContainers) spec.initContainers = initContainers;
  if (!existing) spec.volumes = [...volumes, tokenVolume(name)];
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    },
  };
}
