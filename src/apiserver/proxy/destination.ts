// Where a request to pods/NAME/proxy or services/NAME/proxy goes: NAME may bring a scheme and a port with it
// (`https:web-0:8443`). Follows pkg/registry/core/pod/strategy.go and core/service/storage/storage.go
// (ResourceLocation): only addresses of pods, and none of the machine's own.
import { BlockList, isIP } from 'node:net';
import { badRequest, isNotFound, serviceUnavailable } from '../../api/errors.ts';
import type { EndpointAddress, Endpoints, Pod, Service } from '../../api/generated/types.ts';
import type { KubeObject, Stored } from '../../api/objects.ts';

export interface Destination {
  secure: boolean;
  host: string;
  port: number;
}

/** Reads an object of the request's namespace. Throws NotFound. */
export type ReadObject = (plural: 'pods' | 'services' | 'endpoints', name: string) => Promise<Stored>;

/** @param turn rises with every request: which of several endpoints is first in line. */
export async function destinationOf(
  plural: string,
  id: string,
  read: ReadObject,
  turn: number,
): Promise<Destination> {
  const parts = splitName(id);
  if (!parts)
    throw badRequest(`invalid ${plural === 'pods' ? 'pod' : 'service'} request ${JSON.stringify(id)}`);
  const { secure, name, port } = parts;
  if (plural === 'pods') {
    // The resource decides the type.
    return { secure, ...podAddress((await read('pods', name)) as Stored<Pod>, port) };
  }
  const [service, endpoints] = await Promise.all([
    read('services', name),
    read('endpoints', name).catch(orNone),
  ]);
  const address = await serviceAddress(
    service as Stored<Service>,
    endpoints as Stored<Endpoints> | undefined,
    port,
    read,
    turn,
  );
  return { secure, ...address };
}

function orNone(error: unknown): undefined {
  if (isNotFound(error)) return undefined;
  throw error;
}

/** `name`, `name:port` or `scheme:name:port` (apimachinery pkg/util/net, SplitSchemeNamePort). */
export function splitName(id: string): { secure: boolean; name: string; port: string } | undefined {
  const parts = id.split(':');
  if (parts.length > 3) return undefined;
  const [scheme, name, port] = parts.length === 3 ? parts : ['', ...parts];
  if (!name || !['', 'http', 'https'].includes(scheme ?? '')) return undefined;
  return { secure: scheme === 'https', name, port: port ?? '' };
}

function podAddress(pod: Pod, asked: string): { host: string; port: number } {
  const host = pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? '';
  if (!isAllowed(host)) throw badRequest('address not allowed');
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? []);
  const named = asked ? ports.find(({ name }) => name === asked) : ports[0];
  const port = named?.containerPort ?? (asked ? Number(asked) : 80);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return { host, port };
  throw badRequest(
    `pod ${pod.metadata.name} has no port ${JSON.stringify(asked)}: give a number or the name of a container's port`,
  );
}

async function serviceAddress(
  service: Stored<Service>,
  endpoints: Stored<Endpoints> | undefined,
  asked: string,
  read: ReadObject,
  turn: number,
): Promise<{ host: string; port: number }> {
  const { name } = service.metadata;
  const portName = portNameOf(service, asked);
  const subsets = endpoints?.subsets ?? [];
  for (const { addresses = [], ports = [] } of subsets) {
    const port = ports.find((each) => (each.name ?? '') === portName);
    if (!port) continue;
    for (let tried = 0; tried < addresses.length; tried++) {
      const address = addresses[(turn + tried) % addresses.length];
      if (address && (await isAddressOfPod(address, service, read)))
        return { host: address.ip, port: port.port };
    }
  }
  throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
}

/** Endpoints know ports by name: a number means the service's port of that number. */
function portNameOf({ metadata, spec }: Stored<Service>, asked: string): string {
  if (!/^\d+$/.test(asked)) return asked;
  const port = spec?.ports?.find((each) => each.port === Number(asked));
  if (port) return port.name ?? '';
  throw serviceUnavailable(
    `no service port ${Number(asked)} found for service ${JSON.stringify(metadata.name)}`,
  );
}

/** Anybody may write Endpoints: what is not a pod's is not for the API server to visit. */
async function isAddressOfPod(
  { ip, targetRef }: EndpointAddress,
  service: KubeObject,
  read: ReadObject,
): Promise<boolean> {
  if (!targetRef?.name || targetRef.namespace !== service.metadata.namespace || !isAllowed(ip)) return false;
  const pod = (await read('pods', targetRef.name).catch(orNone)) as Stored<Pod> | undefined;
  return pod?.status?.podIPs?.some((each) => each.ip === ip) ?? pod?.status?.podIP === ip;
}

const NOT_UNICAST = new BlockList();
NOT_UNICAST.addSubnet('0.0.0.0', 32);
NOT_UNICAST.addSubnet('127.0.0.0', 8);
NOT_UNICAST.addSubnet('169.254.0.0', 16);
NOT_UNICAST.addSubnet('224.0.0.0', 4);
NOT_UNICAST.addAddress('255.255.255.255');
NOT_UNICAST.addSubnet('::', 127, 'ipv6');
NOT_UNICAST.addSubnet('fe80::', 10, 'ipv6');
NOT_UNICAST.addSubnet('ff00::', 8, 'ipv6');

/** Whether an address is a host's in some network: Go's IsGlobalUnicast. */
function isAllowed(ip: string): boolean {
  const family = isIP(ip);
  return family !== 0 && !NOT_UNICAST.check(ip, family === 6 ? 'ipv6' : 'ipv4');
}
