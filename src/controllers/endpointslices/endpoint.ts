// One endpoint of a slice: what a pod is to a service that selects it. Pure. Follows
// staging/src/k8s.io/endpointslice/utils.go.
import { isIPv4, isIPv6 } from 'node:net';
import type { DiscoveryV1EndpointPort, Endpoint, Node, Pod, Service } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { isPodReady } from '../../api/pod-state.ts';
import { addressesOf, hostnameIn, targetPort } from '../service-pods.ts';

export type AddressType = 'IPv4' | 'IPv6';

/** The address types that the service's slices come in. */
export function addressTypesOf(service: Service): AddressType[] {
  const families = (service.spec?.ipFamilies ?? []).filter(
    (family): family is AddressType => family === 'IPv4' || family === 'IPv6',
  );
  if (families.length > 0) return families;
  return isIPv6(service.spec?.clusterIP ?? '') ? ['IPv6'] : ['IPv4'];
}

/** The pod as an endpoint of the service; undefined if it has no address of the type. */
export function endpointOf(
  pod: Stored<Pod>,
  service: Service,
  addressType: AddressType,
  node: Node | undefined,
): Endpoint | undefined {
  const addresses = addressesOf(pod).filter(addressType === 'IPv4' ? isIPv4 : isIPv6);
  if (addresses.length === 0) return undefined;
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const { namespace, name, uid } = pod.metadata;
  const zone = node?.metadata.labels?.['topology.kubernetes.io/zone'];
  const { nodeName } = pod.spec;
  const hostname = hostnameIn(service, pod);
  return {
    addresses,
    conditions: {
      ready: service.spec?.publishNotReadyAddresses === true || (serving && !terminating),
      serving,
      terminating,
    },
    ...(hostname ? { hostname } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName ? { nodeName } : {}),
    ...(zone ? { zone } : {}),
  };
}

/** The service's ports as they are on the pod; a named port that the pod does not have is left out. */
export function portsOf(service: Service, pod: Pod): DiscoveryV1EndpointPort[] {
  return (service.spec?.ports ?? []).flatMap((port) => {
    const number = targetPort(port, pod);
    if (number === undefined) return [];
    return [
      {
        name: port.name ?? '',
        port: number,
        protocol: port.protocol ?? 'TCP',
        ...(port.appProtocol ? { appProtocol: port.appProtocol } : {}),
      },
    ];
  });
}
