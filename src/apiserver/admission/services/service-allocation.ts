// Gives Services their cluster addresses and node ports, each to one Service only: each is taken before the Service is
// written, and given back when the write has ended without it. What is given to whom is decided beside; here is the order
// of things. Follows pkg/registry/core/service/storage/storage.go, beginCreate, beginUpdate and afterDelete.
import { invalid } from '../../../api/errors.ts';
import type { Service, ServiceSpec } from '../../../api/generated/types.ts';
import { isTerminating, keyOf, type Stored } from '../../../api/objects.ts';
import { withAllocatedValues, withClusterIPs } from '../../../api/resources/services/allocated-values.ts';
import { portsOf } from '../../../api/resources/services/node-ports.ts';
import { withoutTypeDependentFields } from '../../../api/resources/services/type-change.ts';
import { clusterIPsOf } from '../../../api/service-addresses.ts';
import { type IpRange, parseIpRange } from '../../../base/ip.ts';
import { sameJson } from '../../../base/same-json.ts';
import {
  type AdmissionContext,
  type AdmissionPlugin,
  type AdmissionRequest,
  type DeletionRequest,
  objectOf,
} from '../admission.ts';
import { AddressPool } from './address-pool.ts';
import { withAddresses } from './addresses.ts';
import { withFamilies } from './ip-families.ts';
import { PortPool } from './port-pool.ts';
import { withPorts } from './ports.ts';

/** What is left of everything for somebody who has nothing. */
const NOTHING: ServiceSpec = { type: 'ExternalName' };

/**
 * @param serviceCidr the range of cluster addresses, as `10.96.0.0/16`, or one of each family with a comma between
 * them, the default one first. Of the first, the first address is for the API server's own Service.
 * @throws Error for anything else, and for a range of fewer than 4 addresses.
 */
export function serviceAllocation(serviceCidr: string): AdmissionPlugin {
  const configured = configuredRanges(serviceCidr);
  const families = configured.map(({ family }) => family);
  let adoption: Promise<void> | undefined;
  /** Once, before anything is given out: what Services have from before there were objects that say so is theirs. */
  const adopted = (pools: Pools, context: AdmissionContext): Promise<void> => {
    adoption ??= adopt(pools, context).catch((error: unknown) => {
      adoption = undefined;
      throw error;
    });
    return adoption;
  };
  return {
    name: 'ServiceAllocation',
    async admit(request, context) {
      const { resource, old, object } = request;
      if (resource.group !== '' || resource.kind !== 'Service') return object;
      const pools = poolsOf(context, configured);
      await adopted(pools, context);
      // The resource decides the type.
      const before = old as Stored<Service> | undefined;
      if (before && isTerminating(before) && !object.metadata.finalizers?.length) {
        // It goes with this write: whatever it becomes, it is given nothing.
        await giveBack(before, NOTHING, request, context, pools);
        return object;
      }
      const service = objectOf<Service>(request, '', 'Service');
      if (!service) return object;
      const given = await withEverything(service, before, request, context, pools, families);
      if (before) await giveBack(before, given.spec ?? before.spec, request, context, pools);
      return given;
    },
    async admitDeletion(request, context) {
      const { resource, old } = request;
      if (resource.group !== '' || resource.kind !== 'Service') return;
      const pools = poolsOf(context, configured);
      await adopted(pools, context);
      // The resource decides the type.
      await giveBack(old as Stored<Service>, NOTHING, request, context, pools);
    },
  };
}

function configuredRanges(serviceCidr: string): IpRange[] {
  const ranges = serviceCidr.split(',').map((cidr) => {
    const range = parseIpRange(cidr);
    if (!range || range.last - range.first < 3n) {
      throw new Error(`"${cidr}" is not a usable range for Services; give one such as 10.96.0.0/16`);
    }
    return range;
  });
  const [first, second, more] = ranges;
  if (more || (second && second.family === first?.family)) {
    throw new Error(
      `"${serviceCidr}" is more than one range of each family; give one, or two such as 10.96.0.0/16,fd00::/108`,
    );
  }
  return ranges;
}

interface Pools {
  addresses: AddressPool;
  ports: PortPool;
}

const poolsOf = (context: AdmissionContext, configured: readonly IpRange[]): Pools => ({
  addresses: new AddressPool(context, configured),
  ports: new PortPool(context),
});

/**
 * What is reserved is asked before who has what: a Service that comes or goes meanwhile looks after itself. What is taken
 * for one that has gone all the same is given back.
 */
async function adopt({ addresses, ports }: Pools, context: AdmissionContext): Promise<void> {
  const known = new Set<string>((await context.list('networking.k8s.io', 'ipaddresses')).map(keyOf));
  const reserved = await ports.reserved();
  const services = (await context.list('', 'services')) as Stored<Service>[];
  for (const { spec, metadata } of services) {
    const stillHas = async (has: (spec: ServiceSpec) => boolean): Promise<boolean> => {
      // The resource decides the type.
      const now = (await context.find('', 'services', metadata)) as Stored<Service> | undefined;
      return now !== undefined && has(now.spec);
    };
    for (const address of clusterIPsOf(spec)) {
      if (known.has(address) || (await addresses.refusal(address)) !== undefined) continue;
      const taken = await addresses.take(address, metadata);
      if (taken && !(await stillHas((now) => clusterIPsOf(now).includes(address))))
        await addresses.release(taken);
    }
    for (const port of portsOf(spec)) {
      const taken = reserved.has(port) ? undefined : await ports.take(port, metadata);
      if (taken && !(await stillHas((now) => portsOf(now).includes(port)))) await ports.release(taken);
    }
  }
}

/** The Service with all that it is to be given; the very same one if there is nothing. */
async function withEverything(
  service: Service,
  old: Stored<Service> | undefined,
  request: AdmissionRequest,
  context: AdmissionContext,
  { addresses, ports }: Pools,
  families: readonly IpRange['family'][],
): Promise<Service> {
  // A body may lack it: then validation says so.
  if (!service.spec) return service;
  const before = old?.spec;
  const asked = before
    ? withoutTypeDependentFields(withAllocatedValues(service.spec, before), before)
    : withClusterIPs(service.spec);
  const known = withFamilies(asked, before, families);
  if (known.errors) throw invalid(request.resource, request.key.name, known.errors);
  const addressed = await withAddresses(known.spec, before, request, context, addresses);
  const complete = await withPorts(addressed, before, request, context, ports);
  return sameJson(complete, service.spec) ? service : { ...service, spec: complete };
}

/** What the Service has and will not have any more is free when the write is done. */
async function giveBack(
  { spec: old, metadata }: Stored<Service>,
  kept: ServiceSpec,
  { dryRun }: AdmissionRequest | DeletionRequest,
  context: AdmissionContext,
  { addresses, ports }: Pools,
): Promise<void> {
  if (dryRun) return;
  const [keptAddresses, keptPorts] = [clusterIPsOf(kept), portsOf(kept)];
  for (const address of clusterIPsOf(old)) {
    const object = keptAddresses.includes(address) ? undefined : await addresses.findOf(address, metadata);
    if (object) context.afterwards((written) => (written ? addresses.release(object) : undefined));
  }
  for (const port of portsOf(old)) {
    const reservation = keptPorts.includes(port) ? undefined : await ports.findOf(port, metadata);
    if (reservation) context.afterwards((written) => (written ? ports.release(reservation) : undefined));
  }
}
