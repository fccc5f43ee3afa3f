// Leader election over a Lease: of all processes that ask for it, one leads at a time (client-go
// tools/leaderelection). It trusts no other machine's clock: a lease has expired when this process has seen it
// unchanged for its whole duration.
import { setMaxListeners } from 'node:events';
import { isAlreadyExists, isConflict, orUndefined } from '../api/errors.ts';
import type { Lease, LeaseSpec } from '../api/generated/types.ts';
import type { Stored } from '../api/objects.ts';
import { leases } from '../api/resources/leases/definition.ts';
import { type CancelTimer, microTimestamp, sleep } from '../base/clock.ts';
import { errorText } from '../base/error-text.ts';
import type { RunContext } from './run-context.ts';

const LEASE_SECONDS = 15;
const RENEW_DEADLINE_MS = 10_000;
/** How soon a candidate, or a leader that could not renew, tries again. */
const RETRY_MS = 2000;
/** How often a leader renews: every renewal is a write to the disk. */
const RENEW_MS = 5000;
const JITTER = 1.2;

export interface Election {
  namespace: string;
  /** The Lease's name. */
  name: string;
  /** Unlike that of any other candidate; a process that comes after one of the same identity goes on with its lease. */
  identity: string;
}

/**
 * Leads whenever it can until the context's signal. Releases the lease at the end.
 * @param lead what only the leader does. Its signal says that the lead is lost or over; it must then end, and
 *   only when it has is the lease let go.
 */
export async function runElected(
  context: Pick<RunContext, 'client' | 'clock' | 'random' | 'log' | 'signal'>,
  election: Election,
  lead: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { clock, random, log, signal } = context;
  const candidate = new Candidate(context, election);
  while (!signal.aborted) {
    if (!(await candidate.tryToHold())) {
      await sleep(clock, RETRY_MS * (1 + random.next() * JITTER), signal);
      continue;
    }
    log.info('leading', { lease: election.name, identity: election.identity });
    const lost = new AbortController();
    // All that the leader runs listens to it; many are no leak.
    setMaxListeners(0, lost.signal);
    const stop = (): void => lost.abort();
    signal.addEventListener('abort', stop, { once: true });
    const renewing = candidate.keep(lost);
    try {
      await lead(lost.signal);
    } finally {
      lost.abort();
      signal.removeEventListener('abort', stop);
      await renewing;
      await candidate.release();
    }
    log.info('no longer leading', { lease: election.name, identity: election.identity });
  }
}

class Candidate {
  readonly #context: Pick<RunContext, 'client' | 'clock' | 'log'>;
  readonly #election: Election;
  #seen: Stored<Lease> | undefined;
  #seenAtMs = 0;

  constructor(context: Pick<RunContext, 'client' | 'clock' | 'log'>, election: Election) {
    this.#context = context;
    this.#election = election;
  }

  /** Takes or renews the lease; false if somebody else holds it, or the API did not take it. Never rejects. */
  async tryToHold(): Promise<boolean> {
    try {
      return await this.#hold();
    } catch (error) {
      const expected = isConflict(error) || isAlreadyExists(error);
      if (!expected) this.#context.log.error('the lease could not be taken or renewed', error);
      return false;
    }
  }

  /** Renews until `lost` is aborted; aborts it when the lease could not be renewed in time. */
  async keep(lost: AbortController): Promise<void> {
    const { clock } = this.#context;
    // A request may hang: the deadline does not wait for it.
    const arm = (renewedMs: number): CancelTimer =>
      clock.after(renewedMs + RENEW_DEADLINE_MS - clock.now(), () => lost.abort());
    let disarm = arm(clock.now());
    let delayMs = RENEW_MS;
    for (;;) {
      await sleep(clock, delayMs, lost.signal);
      if (lost.signal.aborted) return disarm();
      const startedMs = clock.now();
      const isHeld = await this.tryToHold();
      delayMs = isHeld ? RENEW_MS : RETRY_MS;
      if (!isHeld) continue;
      disarm();
      disarm = arm(startedMs);
    }
  }

  /** Lets go of the lease, if it is still ours, so that the next need not wait for it to expire. */
  async release(): Promise<void> {
    const { client, log } = this.#context;
    const held = this.#seen;
    if (held?.spec.holderIdentity !== this.#election.identity) return;
    try {
      const { holderIdentity: _, ...spec } = held.spec;
      this.#seen = await client.update(leases, { ...held, spec: { ...spec, leaseDurationSeconds: 1 } });
    } catch (error) {
      log.debug(`the lease was not released: ${errorText(error)}`);
    }
  }

  async #hold(): Promise<boolean> {
    const { client, clock } = this.#context;
    const { namespace, name, identity } = this.#election;
    const now = clock.now();
    const current = await this.#current();
    const mine: LeaseSpec = {
      holderIdentity: identity,
      leaseDurationSeconds: LEASE_SECONDS,
      acquireTime: microTimestamp(now),
      renewTime: microTimestamp(now),
      leaseTransitions: 0,
    };
    if (!current) {
      const created = await client.create(leases, {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { namespace, name },
        spec: mine,
      });
      this.#observe(created);
      return true;
    }
    const { holderIdentity: holder, acquireTime, leaseTransitions = 0 } = current.spec;
    const expired = this.#seenAtMs + (current.spec.leaseDurationSeconds ?? LEASE_SECONDS) * 1000 <= now;
    if (holder && holder !== identity && !expired) return false;
    if (holder === identity) Object.assign(mine, { acquireTime, leaseTransitions });
    else mine.leaseTransitions = leaseTransitions + 1;
    this.#observe(await client.update(leases, { ...current, spec: mine }));
    return true;
  }

  async #current(): Promise<Stored<Lease> | undefined> {
    const { namespace, name } = this.#election;
    const lease = await orUndefined(this.#context.client.get(leases, { namespace, name }));
    if (lease && lease.metadata.resourceVersion !== this.#seen?.metadata.resourceVersion)
      this.#observe(lease);
    return lease;
  }

  #observe(lease: Stored<Lease>): void {
    this.#seen = lease;
    this.#seenAtMs = this.#context.clock.now();
  }
}
