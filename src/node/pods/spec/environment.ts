// The environment of a container: literals, fields, keys of ConfigMaps and Secrets, whole ConfigMaps and Secrets,
// and where Services are, with `$(NAME)` expanded in order (kubelet's makeEnvironmentVariables). Reading the objects is the caller's.
import type { ConfigMap, Container, EnvVar, Pod, Secret, Service } from '../../../api/generated/types.ts';
import { fieldValue, type Placement, resourceValue } from './downward.ts';
import { expand } from './expansion.ts';
import { serviceVariables } from './service-variables.ts';

/** The configuration cannot be made from what the API has now; the container waits and is tried again. */
export class ContainerConfigError extends Error {
  readonly reason = 'CreateContainerConfigError';
}

/** Where values come from; undefined when there is no such object. */
export interface EnvironmentSources {
  configMap(name: string): Promise<ConfigMap | undefined>;
  secret(name: string): Promise<Secret | undefined>;
  /** The Services of the pod's namespace and of `default`. */
  services(): Promise<readonly Service[]>;
}

/**
 * The variables in order, each name once.
 * @throws ContainerConfigError when an object or key that is not optional is missing.
 */
export async function environmentOf(
  pod: Pod,
  container: Container,
  placement: Placement,
  sources: EnvironmentSources,
): Promise<Map<string, string>> {
  const result = new Map<string, string>();
  for (const from of container.envFrom ?? []) {
    const values = from.configMapRef
      ? await allOfConfigMap(sources, from.configMapRef)
      : from.secretRef
        ? await allOfSecret(sources, from.secretRef)
        : {};
    for (const [key, value] of Object.entries(values)) result.set(`${from.prefix ?? ''}${key}`, value);
  }
  const { metadata, spec } = pod;
  const links = spec.enableServiceLinks !== false;
  const ofServices = serviceVariables(await sources.services(), metadata.namespace ?? '', links);
  const lookup = (name: string): string | undefined => result.get(name) ?? ofServices.get(name);
  for (const variable of container.env ?? []) {
    const value = variable.valueFrom
      ? await referenced(pod, container, variable, placement, sources)
      : expand(variable.value ?? '', lookup);
    if (value !== undefined) result.set(variable.name, value);
  }
  for (const [name, value] of ofServices) if (!result.has(name)) result.set(name, value);
  return result;
}

async function allOfConfigMap(
  sources: EnvironmentSources,
  reference: { name?: string; optional?: boolean },
): Promise<Record<string, string>> {
  const object = await sources.configMap(reference.name ?? '');
  if (object) return object.data ?? {};
  if (reference.optional) return {};
  throw new ContainerConfigError(`configmap "${reference.name}" not found`);
}

async function allOfSecret(
  sources: EnvironmentSources,
  reference: { name?: string; optional?: boolean },
): Promise<Record<string, string>> {
  const object = await sources.secret(reference.name ?? '');
  if (object) return decoded(object);
  if (reference.optional) return {};
  throw new ContainerConfigError(`secret "${reference.name}" not found`);
}

function decoded(secret: Secret): Record<string, string> {
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, value]) => [
      key,
      Buffer.from(value, 'base64').toString('utf8'),
    ]),
  );
}

async function referenced(
  pod: Pod,
  container: Container,
  variable: EnvVar,
  placement: Placement,
  sources: EnvironmentSources,
): Promise<string | undefined> {
  const { fieldRef, fileKeyRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = variable.valueFrom ?? {};
  if (fileKeyRef) {
    throw new ContainerConfigError(`env ${variable.name}: fileKeyRef is not supported by this node`);
  }
  if (fieldRef) {
    const value = fieldValue(pod, fieldRef, placement);
    if (value === undefined) {
      throw new ContainerConfigError(`env ${variable.name}: unsupported fieldPath: ${fieldRef.fieldPath}`);
    }
    return value;
  }
  if (resourceFieldRef) {
    const value = resourceValue(pod, container, resourceFieldRef, placement);
    if (value === undefined) {
      throw new ContainerConfigError(
        `env ${variable.name}: unsupported container resource : ${resourceFieldRef.resource}`,
      );
    }
    return value;
  }
  const { namespace } = pod.metadata;
  if (configMapKeyRef) {
    const { name = '', key, optional } = configMapKeyRef;
    const object = await sources.configMap(name);
    const value = object?.data?.[key];
    if (value !== undefined || optional) return value;
    if (!object) throw new ContainerConfigError(`configmap "${name}" not found`);
    throw new ContainerConfigError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
  }
  if (secretKeyRef) {
    const { name = '', key, optional } = secretKeyRef;
    const object = await sources.secret(name);
    const value = object && decoded(object)[key];
    if (value !== undefined || optional) return value;
    if (!object) throw new ContainerConfigError(`secret "${name}" not found`);
    throw new ContainerConfigError(`couldn't find key ${key} in Secret ${namespace}/${name}`);
  }
  return undefined;
}
