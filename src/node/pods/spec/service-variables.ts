// The variables by which containers find Services: `REDIS_SERVICE_HOST`, `REDIS_PORT_6379_TCP_ADDR`
// (kubelet envvars/envvars.go and getServiceEnvVarMap). Pure.
import type { Service } from '../../../api/generated/types.ts';

/**
 * @param services those of the pod's namespace and of `default`, in any order.
 * @param namespace the pod's.
 * @param links whether the pod is told of its namespace's services, and not only of the API server's.
 */
export function serviceVariables(
  services: readonly Service[],
  namespace: string,
  links: boolean,
): Map<string, string> {
  const told = new Map<string, Service>();
  const nameOf = ({ metadata }: Service): string => metadata.name ?? '';
  const sorted = [...services].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  for (const service of sorted) {
    const clusterIp = service.spec?.clusterIP;
    if (!clusterIp || clusterIp === 'None') continue;
    const name = nameOf(service);
    // The API server's comes from `default`; one of that name in the pod's own namespace hides it.
    const isMaster = service.metadata.namespace === 'default' && name === 'kubernetes';
    if (isMaster ? !told.has(name) : links && service.metadata.namespace === namespace) {
      told.set(name, service);
    }
  }
  return new Map([...told.values()].flatMap(variablesOf));
}

function variablesOf({ metadata, spec }: Service): Array<[string, string]> {
  const prefix = variableName(metadata.name ?? '');
  const ip = spec?.clusterIP ?? '';
  const host = ip.includes(':') ? `[${ip}]` : ip;
  const ports = spec?.ports ?? [];
  const [first] = ports;
  if (first === undefined) return [];
  const url = ({ protocol = 'TCP', port }: typeof first): string =>
    `${protocol.toLowerCase()}://${host}:${port}`;
  return [
    [`${prefix}_SERVICE_HOST`, ip],
    [`${prefix}_SERVICE_PORT`, String(first.port)],
    ...ports.flatMap(
      ({ name, port }): Array<[string, string]> =>
        name ? [[`${prefix}_SERVICE_PORT_${variableName(name)}`, String(port)]] : [],
    ),
    [`${prefix}_PORT`, url(first)],
    ...ports.flatMap((port): Array<[string, string]> => {
      const { protocol = 'TCP' } = port;
      const at = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`;
      return [
        [at, url(port)],
        [`${at}_PROTO`, protocol.toLowerCase()],
        [`${at}_PORT`, String(port.port)],
        [`${at}_ADDR`, ip],
      ];
    }),
  ];
}

const variableName = (name: string): string => name.replaceAll('-', '_').toUpperCase();
