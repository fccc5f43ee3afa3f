// The Service by which programs find the cluster's DNS: `kube-dns` in kube-system, at the tenth address of the range, as
// everywhere. Pods themselves are told the gateway's address, which needs nobody to forward anything.
import { isIPv4 } from 'node:net';
import { isAlreadyExists, isReason, orUndefined } from '../../api/errors.ts';
import type { EndpointSlice, Service } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { endpointSlices } from '../../api/resources/endpoint-slices/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { MANAGED_BY, SERVICE_NAME } from '../../api/service-endpoints.ts';
import { addressAt, parseIpRange } from '../../base/ip.ts';
import { sameJson } from '../../base/same-json.ts';
import type { Client } from '../../client/client.ts';
import { rangesOf } from '../disk/service-cidr.ts';

const KEY = { namespace: 'kube-system', name: 'kube-dns' };
const CUSTOMARY = 10;

/**
 * Makes the Service, and leads it to the server. Idempotent. A Service that somebody has given a selector leads to their
 * pods, and no more to this server.
 * @param serviceCidr the addresses of Services.
 * @param server where the DNS server listens: `10.244.0.1:53`. On loopback no Service can lead to it.
 */
export async function ensureKubeDns(client: Client, serviceCidr: string, server: string): Promise<void> {
  const service = await ensureService(client, serviceCidr);
  const existing = await orUndefined(client.get(endpointSlices, KEY));
  const wanted = sliceFor(service, server);
  if (!wanted) {
    if (existing) await orUndefined(client.delete(endpointSlices, KEY));
    return;
  }
  if (!existing) {
    await client.create(endpointSlices, wanted);
    return;
  }
  const { addressType, endpoints, metadata, ports } = existing;
  const owner = metadata.ownerReferences?.[0]?.uid;
  if (owner === service.metadata.uid && addressType === wanted.addressType) {
    if (sameJson([endpoints, ports], [wanted.endpoints, wanted.ports])) return;
    await client.update(endpointSlices, { ...wanted, metadata: existing.metadata });
    return;
  }
  await orUndefined(client.delete(endpointSlices, KEY));
  await client.create(endpointSlices, wanted);
}

async function ensureService(client: Client, serviceCidr: string): Promise<Stored<Service>> {
  const existing = await orUndefined(client.get(services, KEY));
  if (existing) return existing;
  const range = parseIpRange(rangesOf(serviceCidr)[0] ?? '');
  const customary = range && addressAt(range, CUSTOMARY);
  const make = (clusterIP?: string): Promise<Stored<Service>> =>
    client.create(services, {
      metadata: {
        ...KEY,
        labels: {
          'k8s-app': 'kube-dns',
          'kubernetes.io/cluster-service': 'true',
          'kubernetes.io/name': 'CoreDNS',
        },
      },
      spec: {
        ...(clusterIP ? { clusterIP } : {}),
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
          { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
        ],
      },
    });
  return make(customary).catch((error: unknown) => {
    if (isAlreadyExists(error)) return client.get(services, KEY);
    // Somebody's Service may have that address already.
    if (isReason(error, 'Invalid') && customary) return make();
    throw error;
  });
}

/** Undefined where the Service does not lead to this server. */
function sliceFor(service: Stored<Service>, server: string): EndpointSlice | undefined {
  const at = server.lastIndexOf(':');
  const [address, port] = [server.slice(0, at), Number(server.slice(at + 1))];
  if (service.spec.selector || !isIPv4(address) || address.startsWith('127.')) return undefined;
  const { name, uid } = service.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      ...KEY,
      labels: { 'k8s-app': 'kube-dns', [SERVICE_NAME]: name, [MANAGED_BY]: 'stead.dev' },
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Service', name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false } }],
    ports: [
      { name: 'dns', port, protocol: 'UDP' },
      { name: 'dns-tcp', port, protocol: 'TCP' },
    ],
  };
}
