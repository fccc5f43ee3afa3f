// Gives out cluster addresses: whoever makes the IPAddress of an address has it, and makes it by compare-and-set. The
// ranges are those of the ServiceCIDRs that there are. Follows pkg/registry/core/service/ipallocator; which address a
// Service asks for is not decided here.
import { isAlreadyExists } from '../../../api/errors.ts';
import type { IPAddress, ServiceCIDR } from '../../../api/generated/types.ts';
import { keyOf, nameOf, type ObjectKey, type Stored } from '../../../api/objects.ts';
import {
  DEFAULT_SERVICE_CIDR,
  firstAddress,
  givesAddresses,
  holdsAddress,
  rangesOf,
  serviceAddress,
  serviceOf,
} from '../../../api/service-addresses.ts';
import type { Random } from '../../../base/clock.ts';
import { formatIp, type IpFamily, type IpRange, parseIp } from '../../../base/ip.ts';
import type { AdmissionContext } from '../admission.ts';
import { type Band, bandsOf } from './address-bands.ts';

const GROUP = 'networking.k8s.io';
/** Random tries before a part of a range is searched from one end to the other. */
const RANDOM_TRIES = 16;
/** An IPv6 range with more addresses than this is none to give addresses from. */
const SHORTEST_IPV6_PREFIX = 64;

/** Why an address is not to be had. */
export const ALLOCATED = 'provided IP is already allocated';
const NO_RANGE = 'the provided network does not match the current range';

/** The pool as one write sees it. */
export class AddressPool {
  readonly #context: AdmissionContext;
  readonly #configured: readonly IpRange[];

  /** @param configured what the server was started with: its ranges until there is an object that says so. */
  constructor(context: AdmissionContext, configured: readonly IpRange[]) {
    this.#context = context;
    this.#configured = configured;
  }

  async #ranges(): Promise<IpRange[]> {
    const objects = (await this.#context.list(GROUP, 'servicecidrs')) as Stored<ServiceCIDR>[];
    const known = objects.some(({ metadata }) => metadata.name === DEFAULT_SERVICE_CIDR);
    const ranges = objects.filter(givesAddresses).flatMap(rangesOf);
    return (known ? ranges : [...this.#configured, ...ranges]).filter(
      ({ family, prefix }) => family === 'IPv4' || prefix >= SHORTEST_IPV6_PREFIX,
    );
  }

  /** Why an address cannot be had at all; undefined if it is one of a range. */
  async refusal(address: string): Promise<string | undefined> {
    const ip = parseIp(address);
    const ranges = await this.#ranges();
    return ip && ranges.some((range) => holdsAddress(range, ip)) ? undefined : NO_RANGE;
  }

  /** The object of an address, if somebody has it. */
  async find(address: string): Promise<Stored<IPAddress> | undefined> {
    const ip = parseIp(address);
    if (!ip) return undefined;
    // The resource decides the type.
    const found = await this.#context.find(GROUP, 'ipaddresses', { name: formatIp(ip) });
    return found as Stored<IPAddress> | undefined;
  }

  /** The object of an address, if it is this Service's. */
  async findOf(address: string, service: ObjectKey): Promise<Stored<IPAddress> | undefined> {
    const found = await this.find(address);
    const owner = found && serviceOf(found);
    return owner && nameOf(owner) === nameOf(service) ? found : undefined;
  }

  /** Takes an address for a Service; undefined if somebody has it. */
  async take(address: string, service: ObjectKey): Promise<Stored<IPAddress> | undefined> {
    const ip = parseIp(address);
    if (!ip) return undefined;
    try {
      const made = await this.#context.create(GROUP, 'ipaddresses', serviceAddress(formatIp(ip), service));
      return made as Stored<IPAddress>;
    } catch (error) {
      if (isAlreadyExists(error)) return undefined;
      throw error;
    }
  }

  /** Takes any address of a family; undefined if there is none left. */
  async takeAny(family: IpFamily, service: ObjectKey): Promise<Stored<IPAddress> | undefined> {
    const ranges = (await this.#ranges()).filter((range) => range.family === family);
    for (const range of ranges) {
      for (const band of bandsOf(range)) {
        const taken = await this.#takeFrom(band, family, service);
        if (taken) return taken;
      }
    }
    return undefined;
  }

  async #takeFrom(
    band: Band<bigint>,
    family: IpFamily,
    service: ObjectKey,
  ): Promise<Stored<IPAddress> | undefined> {
    if (band.first > band.last) return undefined;
    const { random } = this.#context;
    const free = async (value: bigint): Promise<Stored<IPAddress> | undefined> =>
      this.#isApiServers(family, value) ? undefined : this.take(formatIp({ family, value }), service);
    for (let i = 0; i < RANDOM_TRIES; i++) {
      const taken = await free(randomOf(band, random));
      if (taken) return taken;
    }
    const known = new Set((await this.#context.list(GROUP, 'ipaddresses')).map(keyOf));
    const size = band.last - band.first + 1n;
    const start = randomOf(band, random) - band.first;
    for (let step = 0n; step < size; step++) {
      const value = band.first + ((start + step) % size);
      if (known.has(nameOf({ name: formatIp({ family, value }) }))) continue;
      const taken = await free(value);
      if (taken) return taken;
    }
    return undefined;
  }

  /** The first address is that of the API server's own Service, which asks for it by name. */
  #isApiServers(family: IpFamily, value: bigint): boolean {
    return this.#configured.some((range) => range.family === family && firstAddress(range) === value);
  }

  /** What a client is shown that only asks what would be: the network's own address, as upstream does. */
  async anyOf(family: IpFamily): Promise<string | undefined> {
    const range = (await this.#ranges()).find((each) => each.family === family);
    return range && formatIp({ family, value: range.first });
  }

  /** Gives an address back, unless its object has become another one meanwhile. */
  async release(address: Stored<IPAddress>): Promise<void> {
    await this.#context.remove(GROUP, 'ipaddresses', address);
  }
}

/** Exact for as many numbers as there are in a double; of more, each 2⁵³th part is as likely. */
function randomOf({ first, last }: Band<bigint>, random: Random): bigint {
  const part = BigInt(Math.floor(random.next() * 2 ** 53));
  return first + (((last - first + 1n) * part) >> 53n);
}
