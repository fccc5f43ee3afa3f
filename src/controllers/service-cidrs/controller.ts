// Keeps ServiceCIDRs: each is protected, says whether it is ready, and goes when no address depends on it. A range that
// comes or goes, and an address, may change what holds for every range that overlaps it.
import { orUndefined } from '../../api/errors.ts';
import type { IPAddress } from '../../api/generated/types.ts';
import type { ObjectKey, Stored } from '../../api/objects.ts';
import { ipAddresses } from '../../api/resources/ip-addresses/definition.ts';
import { serviceCidrs } from '../../api/resources/service-cidrs/definition.ts';
import { holdsAddress, isServiceAddress, rangesOf } from '../../api/service-addresses.ts';
import { assertNever } from '../../base/assert-never.ts';
import { parseIp } from '../../base/ip.ts';
import { runController, watch } from '../../client/controller.ts';
import type { RunContext } from '../../client/run-context.ts';
import { FINALIZER, planServiceCidr } from './plan.ts';

/** Runs until the context's signal. */
export async function runServiceCidrsController(context: RunContext): Promise<void> {
  const { client, clock, informers } = context;
  const cidrs = informers.of(serviceCidrs);
  const addresses = informers.of(ipAddresses);
  const every = (): ObjectKey[] => cidrs.list().map(({ metadata }) => metadata);
  const holding = (address: Stored<IPAddress>): ObjectKey[] => {
    const ip = parseIp(address.metadata.name);
    if (!ip || !isServiceAddress(address)) return [];
    const found = cidrs.list().filter((cidr) => rangesOf(cidr).some((range) => holdsAddress(range, ip)));
    return found.map(({ metadata }) => metadata);
  };
  await runController(context, 'servicecidrs', {
    workers: 1,
    watches: [
      // There are few of them.
      watch(cidrs, { changed: every, deleted: every }),
      watch(addresses, { added: holding, deleted: holding }),
    ],
    async reconcile({ name }) {
      const object = cidrs.get(undefined, name);
      if (!object) return;
      const plan = planServiceCidr(object, cidrs.list(), addresses.list(), clock.now());
      const { metadata, status } = object;
      const others = (metadata.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
      const write = (finalizers: string[]): Promise<unknown> =>
        orUndefined(client.update(serviceCidrs, { ...object, metadata: { ...metadata, finalizers } }));
      switch (plan.type) {
        case 'nothing':
          return;
        case 'wait':
          return { requeueAfterMs: plan.ms };
        case 'protect':
          return void (await write([...others, FINALIZER]));
        case 'release':
          return void (await write(others));
        case 'report': {
          const rest = (status?.conditions ?? []).filter(({ type }) => type !== plan.condition.type);
          const next = { ...object, status: { ...status, conditions: [...rest, plan.condition] } };
          return void (await orUndefined(client.update(serviceCidrs, next, { subresource: 'status' })));
        }
        default:
          assertNever(plan);
      }
    },
  });
}
