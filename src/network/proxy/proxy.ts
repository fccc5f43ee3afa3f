// The proxy of Services: keeps the rules of all of them in the machine's nftables table, as the API says at the moment. What
// changes of one Service plans that one anew, and no other.

import type { NamespacedName } from '../../api/objects.ts';
import { errorText } from '../../base/error-text.ts';
import type { RunCommand } from '../../base/machine-command.ts';
import type { RunContext } from '../../client/run-context.ts';
import type { NftTable } from '../nftables/table.ts';
import { missedEntries, removeEntries, staleEntries } from './conntrack.ts';
import { type FrameOptions, frame } from './frame.ts';
import { HealthChecks } from './health-checks.ts';
import { observeServices } from './observe.ts';
import { type PlannedService, type ProxyOptions, planService } from './plan.ts';

/** The name of its part of the table: what holds for all Services. Each has one of its own beside it. */
export const SERVICES_PART = 'services';

export interface ServiceProxy {
  /** The node is in another zone, or in none. */
  setZone(zone: string | undefined): void;
  /** Ends its work; rules stay in force. */
  close(): Promise<void>;
}

/**
 * Starts the proxy; when the promise resolves, the rules of all Services are in force, or are being tried again. Needs the
 * caches of Services, Pods and EndpointSlices, and waits for them.
 * @param table is given parts whose names begin with `services`; who made it closes it, before the proxy.
 */
export async function startServiceProxy(
  { informers, log }: Pick<RunContext, 'informers' | 'log'>,
  table: NftTable,
  run: RunCommand,
  options: FrameOptions & Omit<ProxyOptions, 'zone'>,
): Promise<ServiceProxy> {
  const planned = new Map<NamespacedName, PlannedService>();
  const known = new Set<NamespacedName>();
  const dirty = new Set<NamespacedName>();
  const checks = new HealthChecks(log);
  let zone: string | undefined;
  let isReady = false;
  let isDue = false;
  let cleaned = Promise.resolve();

  const write = (): void => {
    const stale: string[][] = [];
    for (const key of dirty) {
      const service = observed.get(key);
      const before = planned.get(key);
      const after = service && planService(service, observed.backingOf(service), { ...options, zone });
      stale.push(...staleEntries(before?.udp ?? [], after?.udp ?? []));
      if (service) known.add(key);
      else known.delete(key);
      if (after) planned.set(key, after);
      else planned.delete(key);
      table.set(`${SERVICES_PART} ${key}`, after?.rules);
    }
    dirty.clear();
    checks.set([...planned.values()].flatMap(({ healthCheck }) => healthCheck ?? []));
    // Before the rules are in force, an entry would come again as it was.
    if (stale.length > 0) cleaned = cleaned.then(() => table.settled()).then(() => clean(stale));
  };
  const clean = (entries: readonly string[][]): Promise<void> =>
    removeEntries(run, entries).catch((error: unknown) =>
      log.warn('clients may go on sending to where nobody is any more', { error: errorText(error) }),
    );
  table.onRewritten(() => {
    // Packets may have passed while there were no rules.
    const udp = [...planned.values()].flatMap((service) => service.udp);
    cleaned = cleaned.then(() => clean(missedEntries(options.serviceRanges, udp)));
  });
  /** What changes in one turn is written in one. */
  const writeSoon = (): void => {
    if (!isReady || isDue) return;
    isDue = true;
    queueMicrotask(() => {
      isDue = false;
      write();
    });
  };
  const observed = observeServices(informers, (key) => {
    dirty.add(key);
    writeSoon();
  });
  await observed.synced;
  isReady = true;
  write();
  table.set(SERVICES_PART, frame(options));
  await table.settled();
  await cleaned;
  log.info('Services carry traffic', { services: planned.size });
  return {
    setZone(now) {
      if (now === zone) return;
      zone = now;
      for (const key of known) dirty.add(key);
      writeSoon();
    },
    async close() {
      observed.close();
      checks.close();
      await cleaned;
    },
  };
}
