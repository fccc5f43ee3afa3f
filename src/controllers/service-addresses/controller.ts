// Repairs what a server that died, or somebody's hand, has left of Services' addresses: IPAddresses that are missing,
// wrong, or nobody's; of node ports it says what is wrong. And makes the ServiceCIDR of the server's own ranges. Before
// anything is written, the API itself is asked: news of a Service and of its address do not come in the order in which
// they were written.
import { isAlreadyExists, orUndefined } from '../../api/errors.ts';
import type { IPAddress, Service } from '../../api/generated/types.ts';
import type { ObjectKey, Stored } from '../../api/objects.ts';
import { ipAddresses } from '../../api/resources/ip-addresses/definition.ts';
import { serviceCidrs } from '../../api/resources/service-cidrs/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { portsOf } from '../../api/resources/services/node-ports.ts';
import {
  clusterIPsOf,
  DEFAULT_SERVICE_CIDR,
  rangesOf,
  serviceAddress,
  serviceOf,
} from '../../api/service-addresses.ts';
import { assertNever } from '../../base/assert-never.ts';
import { ControllerQueue, runControllerOn, watch } from '../../client/controller.ts';
import { createRecorder } from '../../client/events.ts';
import { type KindKey, kindKey, kindKeys } from '../../client/queue-keys.ts';
import type { RunContext } from '../../client/run-context.ts';
import { planDefaultRange } from './default-range.ts';
import { type AddressView, planAddress, planServiceAddress, type ServiceAddressPlan } from './plan.ts';
import { portComplaints } from './port-plan.ts';

const BY_NODE_PORT = 'node-port';

type Key = KindKey<'address' | 'range' | 'service'>;

/** @param configured the server's ranges, canonical, the default family first. Runs until the context's signal. */
export async function runServiceAddressesController(
  context: RunContext,
  configured: readonly string[],
): Promise<void> {
  const { client, clock, informers } = context;
  const recorder = createRecorder(context, 'ipallocator-repair-controller');
  const portRecorder = createRecorder(context, 'portallocator-repair-controller');
  const cidrs = informers.of(serviceCidrs);
  const addresses = informers.of(ipAddresses);
  const all = informers.of(services);
  all.addIndex(BY_NODE_PORT, ({ spec }) => portsOf(spec).map(String));
  const known: AddressView = {
    get ranges() {
      return cidrs.list().flatMap(rangesOf);
    },
    address: (name) => addresses.get(undefined, name),
    service: ({ namespace, name }) => all.get(namespace, name),
  };
  const range: Key = kindKey('range', { name: DEFAULT_SERVICE_CIDR });
  const addressesOf = ({ spec }: Stored<Service>): Key[] =>
    clusterIPsOf(spec).map((name) => kindKey('address', { name }));
  const queue = new ControllerQueue<Key>(
    context,
    'ipallocator-repair',
    kindKeys('address', 'range', 'service'),
  );
  await runControllerOn(queue, context, {
    workers: 2,
    first: [range],
    watches: [
      watch(cidrs, {
        // A range more may hold what lay in none.
        added: () => [range, ...all.list().map(({ metadata }) => kindKey('service', metadata))],
        updated: () => [range],
        deleted: () => [range],
      }),
      watch(all, {
        added: ({ metadata }) => [kindKey('service', metadata)],
        updated: (service, old) => [kindKey('service', service.metadata), ...addressesOf(old)],
        deleted: addressesOf,
      }),
      watch(addresses, {
        changed: ({ metadata }) => [kindKey('address', metadata)],
        deleted: (address) => ownerOf(address),
      }),
    ],
    async reconcile({ kind, namespace, name }) {
      switch (kind) {
        case 'range':
          return keepDefaultRange();
        case 'service':
          complainOfPorts({ namespace, name });
          return keepAddresses({ namespace, name });
        case 'address':
          return keepAddress(name);
        default:
          assertNever(kind);
      }
    },
  });

  async function keepDefaultRange(): Promise<void> {
    const found = cidrs.get(undefined, DEFAULT_SERVICE_CIDR);
    const plan = planDefaultRange(found, configured);
    switch (plan.type) {
      case 'nothing':
        return;
      case 'create':
        return void (await client.create(serviceCidrs, plan.object).catch(unlessThere));
      case 'widen':
        return void (await orUndefined(client.update(serviceCidrs, plan.object)));
      case 'complain':
        if (found) recorder.event(found, 'Warning', 'KubernetesDefaultServiceCIDRInconsistent', plan.message);
        return;
      default:
        assertNever(plan);
    }
  }

  function complainOfPorts(key: ObjectKey): void {
    const service = known.service(key);
    if (!service) return;
    const having = (port: number): Stored<Service>[] => all.byIndex(BY_NODE_PORT, `${port}`);
    for (const { reason, message } of portComplaints(service, having))
      portRecorder.event(service, 'Warning', reason, message, 'PortAllocation');
  }

  async function keepAddresses(key: ObjectKey): Promise<void> {
    // What lies in no range is not known before the first one is.
    if (!cidrs.get(undefined, DEFAULT_SERVICE_CIDR)) return;
    const service = known.service(key);
    for (const name of service ? clusterIPsOf(service.spec) : []) {
      if (!service || planServiceAddress(service, name, known).type === 'nothing') continue;
      const before = await orUndefined(client.get(services, key));
      const address = await orUndefined(client.get(ipAddresses, { name }));
      const now = await orUndefined(client.get(services, key));
      // The address goes after the write that gives it back: of a Service that has changed meanwhile there will be news.
      if (!now || now.metadata.resourceVersion !== before?.metadata.resourceVersion) return;
      if (!clusterIPsOf(now.spec).includes(name)) return;
      const live: AddressView = { ...known, ranges: known.ranges, address: () => address };
      await repair(now, name, address, planServiceAddress(now, name, live));
    }
  }

  async function repair(
    service: Stored<Service>,
    name: string,
    address: Stored<IPAddress> | undefined,
    plan: ServiceAddressPlan,
  ): Promise<void> {
    if (plan.type === 'nothing') return;
    if (plan.reason)
      recorder.event(service, 'Warning', plan.reason, plan.message ?? '', 'ClusterIPAllocation');
    switch (plan.type) {
      case 'complain':
        return;
      case 'replace':
        if (address) await remove(address);
        break;
      case 'create':
        break;
      default:
        assertNever(plan);
    }
    await client.create(ipAddresses, serviceAddress(name, service.metadata)).catch(unlessThere);
  }

  async function keepAddress(name: string): Promise<{ requeueAfterMs: number } | undefined> {
    const found = known.address(name);
    if (!found) return undefined;
    const first = planAddress(found, known.service, clock.now());
    if (first.type === 'nothing') return undefined;
    if (first.type === 'wait') return { requeueAfterMs: first.ms };
    const address = await orUndefined(client.get(ipAddresses, { name }));
    const owner = address && serviceOf(address);
    const service = owner && (await orUndefined(client.get(services, owner)));
    const plan = address && planAddress(address, () => service, clock.now());
    if (!plan) return undefined;
    switch (plan.type) {
      case 'nothing':
        return undefined;
      case 'wait':
        return { requeueAfterMs: plan.ms };
      case 'delete':
        recorder.event(address, 'Warning', plan.reason, plan.message, 'IPAddressAllocation');
        await remove(address);
        return undefined;
      default:
        assertNever(plan);
    }
  }

  /** Of this very version: another one is somebody's who has just taken it. */
  async function remove({ metadata }: Stored<IPAddress>): Promise<void> {
    const { name, uid, resourceVersion } = metadata;
    await orUndefined(client.delete(ipAddresses, { name }, { preconditions: { uid, resourceVersion } }));
  }
}

/** Somebody else was quicker. */
function unlessThere(error: unknown): void {
  if (!isAlreadyExists(error)) throw error;
}

function ownerOf(address: Stored<IPAddress>): Key[] {
  const owner = serviceOf(address);
  return owner ? [kindKey('service', owner)] : [];
}
