// Gives a Service the node ports that it needs and has not, and the port that is asked for its health: those that it asks
// for, or any. Follows pkg/registry/core/service/storage/alloc.go, initNodePorts, updateNodePorts and
// updateHealthCheckNodePort.
import { internal, invalid, invalidValue } from '../../../api/errors.ts';
import type { ServicePort, ServiceSpec } from '../../../api/generated/types.ts';
import { nameOf } from '../../../api/objects.ts';
import { mayHaveNodePorts, needsHealthCheck, needsNodePort } from '../../../api/resources/services/needs.ts';
import { nodePortsOf, portsOf } from '../../../api/resources/services/node-ports.ts';
import type { AdmissionContext, AdmissionRequest } from '../admission.ts';
import { requireOnlyWrite } from './addresses.ts';
import type { PortPool } from './port-pool.ts';

const ALLOCATED = 'provided port is already allocated';
const FULL = 'range is full';

/**
 * The spec with its ports. What was taken for it is given back if it is not written.
 * @throws StatusError Invalid for a node port that it asks for and cannot have, InternalError if none is left, and for
 * the port that is asked for its health.
 */
export async function withPorts(
  spec: ServiceSpec,
  old: ServiceSpec | undefined,
  request: AdmissionRequest,
  context: AdmissionContext,
  pool: PortPool,
): Promise<ServiceSpec> {
  const deal = new PortDeal(old, request, context, pool);
  const next = { ...spec };
  if (mayHaveNodePorts(spec) && spec.ports) next.ports = await withNodePorts(spec.ports, spec, !old, deal);
  // One from before there were such ports has none.
  const hadPort = old && needsHealthCheck(old) && old.healthCheckNodePort;
  if (needsHealthCheck(spec) && !hadPort) {
    next.healthCheckNodePort = await healthPort(spec.healthCheckNodePort ?? 0, deal);
  }
  return next;
}

/** @param isNew of a new Service, ports that differ only in their protocol share one node port. */
async function withNodePorts(
  ports: readonly ServicePort[],
  spec: ServiceSpec,
  isNew: boolean,
  deal: PortDeal,
): Promise<ServicePort[]> {
  const shared = new Map<number, number>();
  const next: ServicePort[] = [];
  for (const [index, port] of ports.entries()) {
    const own = port.nodePort ?? 0;
    const other = isNew ? shared.get(port.port) : undefined;
    if (!own && !needsNodePort(spec)) next.push(port);
    else if (other !== undefined && (!own || own === other)) next.push({ ...port, nodePort: other });
    else {
      const asked = own || (isNew ? askedFor(port.port, ports) : 0);
      const nodePort = asked || (await deal.any());
      if (nodePort === undefined) throw internal(`failed to allocate a nodePort: ${FULL}`);
      if (asked && !deal.hasNodePort(asked, isNew)) {
        const why = await deal.take(asked);
        if (why !== undefined) throw deal.invalidPort(index, asked, why);
      }
      if (!shared.has(port.port)) shared.set(port.port, nodePort);
      next.push({ ...port, nodePort });
    }
  }
  return next;
}

/** The node port that one of the ports with a number asks for. */
const askedFor = (number: number, ports: readonly ServicePort[]): number =>
  ports.find(({ port, nodePort }) => port === number && nodePort)?.nodePort ?? 0;

async function healthPort(asked: number, deal: PortDeal): Promise<number> {
  if (asked) {
    const why = await deal.take(asked);
    if (why === undefined) return asked;
    throw internal(`failed to allocate requested HealthCheck NodePort ${asked}: ${why}`);
  }
  const port = await deal.any();
  if (port === undefined) throw internal(`failed to allocate a HealthCheck NodePort 0: ${FULL}`);
  return port;
}

/** The dealings of one write with the pool. */
class PortDeal {
  readonly #request: AdmissionRequest;
  readonly #context: AdmissionContext;
  readonly #pool: PortPool;
  readonly #oldNodePorts: ReadonlySet<number>;
  /** What the Service had, and what was taken for it. */
  readonly #own: Set<number>;
  readonly #taken: number[] = [];

  constructor(
    old: ServiceSpec | undefined,
    request: AdmissionRequest,
    context: AdmissionContext,
    pool: PortPool,
  ) {
    this.#request = request;
    this.#context = context;
    this.#pool = pool;
    this.#oldNodePorts = new Set(old ? nodePortsOf(old) : []);
    this.#own = new Set(old ? portsOf(old) : []);
  }

  /** Whether it is a node port that the Service had; or, if it is not new, one that another of its ports has been given. */
  hasNodePort(port: number, isNew: boolean): boolean {
    return this.#oldNodePorts.has(port) || (!isNew && this.#taken.includes(port));
  }

  /** Takes a port; or says why it cannot be had. */
  async take(port: number): Promise<string | undefined> {
    const { key, dryRun } = this.#request;
    const why = this.#pool.refusal(port);
    if (why !== undefined) return why;
    if (this.#own.has(port)) return ALLOCATED;
    const owner = await this.#pool.ownerOf(port);
    if (dryRun) {
      if (owner !== undefined) return ALLOCATED;
    } else {
      const reservation = await this.#pool.take(port, key);
      if (!reservation) {
        if (owner && nameOf(owner) === nameOf(key)) await requireOnlyWrite(this.#request, this.#context);
        return ALLOCATED;
      }
      this.#context.afterwards((written) => (written ? undefined : this.#pool.release(reservation)));
    }
    this.#add(port);
    return undefined;
  }

  /** Takes any port. */
  async any(): Promise<number | undefined> {
    if (this.#request.dryRun) {
      const shown = this.#pool.shownAfter(this.#taken);
      this.#add(shown);
      return shown;
    }
    const taken = await this.#pool.takeAny(this.#request.key, this.#own);
    if (!taken) return undefined;
    const { port, reservation } = taken;
    this.#context.afterwards((written) => (written ? undefined : this.#pool.release(reservation)));
    this.#add(port);
    return port;
  }

  #add(port: number): void {
    this.#own.add(port);
    this.#taken.push(port);
  }

  invalidPort(index: number, port: number, why: string): Error {
    const { resource, key } = this.#request;
    return invalid(resource, key.name, [invalidValue(`spec.ports[${index}].nodePort`, port, why)]);
  }
}
