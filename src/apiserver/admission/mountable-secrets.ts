// A service account that says so lets its pods use only the secrets that it lists. Follows
// plugin/pkg/admission/serviceaccount/admission.go (limitSecretReferences); the annotation is deprecated upstream, but what
// it holds back is held back.
import type { Container, EphemeralContainer, Pod, ServiceAccount } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';

const ANNOTATION = 'kubernetes.io/enforce-mountable-secrets';
/** What counts as true (Go's ParseBool). */
const TRUE: ReadonlySet<string | undefined> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);

/** Why the pod may not be made; undefined if it may. */
export function secretsRefusal(pod: Pod, account: Stored<ServiceAccount>): string | undefined {
  if (!isLimited(account)) return undefined;
  const { name } = account.metadata;
  const listed = new Set((account.secrets ?? []).map((secret) => secret.name));
  for (const { secret } of pod.spec.volumes ?? []) {
    const wanted = secret?.secretName;
    if (wanted === undefined || listed.has(wanted)) continue;
    return `volume with secret.secretName="${wanted}" is not allowed because service account ${name} does not reference that secret`;
  }
  const { initContainers = [], containers = [] } = pod.spec;
  const inContainers =
    refusalOf(initContainers, 'init container', listed, name) ??
    refusalOf(containers, 'container', listed, name);
  if (inContainers) return inContainers;
  const pulls = new Set((account.imagePullSecrets ?? []).map((secret) => secret.name));
  const index = (pod.spec.imagePullSecrets ?? []).findIndex((secret) => !pulls.has(secret.name));
  if (index < 0) return undefined;
  const wanted = pod.spec.imagePullSecrets?.[index]?.name ?? '';
  return `imagePullSecrets[${index}].name="${wanted}" is not allowed because service account ${name} does not reference that imagePullSecret`;
}

/** The same of the ephemeral containers that a pod gets. */
export function ephemeralSecretsRefusal(pod: Pod, account: Stored<ServiceAccount>): string | undefined {
  if (!isLimited(account)) return undefined;
  const listed = new Set((account.secrets ?? []).map((secret) => secret.name));
  return refusalOf(pod.spec.ephemeralContainers ?? [], 'ephemeral container', listed, account.metadata.name);
}

const isLimited = ({ metadata }: ServiceAccount): boolean => TRUE.has(metadata.annotations?.[ANNOTATION]);

function refusalOf(
  containers: readonly (Container | EphemeralContainer)[],
  what: string,
  listed: ReadonlySet<string | undefined>,
  account: string,
): string | undefined {
  const why = `is not allowed because service account ${account} does not reference that secret`;
  for (const { name, env = [], envFrom = [] } of containers) {
    for (const { name: variable, valueFrom } of env) {
      const wanted = valueFrom?.secretKeyRef?.name;
      if (wanted === undefined || listed.has(wanted)) continue;
      return `${what} ${name} with envVar ${variable} referencing secret.secretName="${wanted}" ${why}`;
    }
    for (const { secretRef } of envFrom) {
      const wanted = secretRef?.name;
      if (wanted === undefined || listed.has(wanted)) continue;
      return `${what} ${name} with envFrom referencing secret.secretName="${wanted}" ${why}`;
    }
  }
  return undefined;
}
