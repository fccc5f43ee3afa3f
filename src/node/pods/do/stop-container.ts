// Runs the preStop hook of a container that is being stopped (kubelet's executePreStopHook). When it begins, and when
// the stop signal follows, is the plan's decision (stop-plan.ts).
import type { Container, Pod } from '../../../api/generated/types.ts';
import type { Runtime } from '../../runtime.ts';
import { runHook } from './hooks.ts';
import type { NodeServices } from './node-services.ts';

/**
 * Resolves when the hook has ended, whatever came of it: a failure is an event, and no reason not to stop.
 * @param timeoutMs what is left of the grace period.
 * @param signal aborted when nobody waits for the hook any more.
 */
export async function runPreStop(
  services: NodeServices,
  pod: Pod,
  container: Container,
  containerId: string,
  podIp: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const handler = container.lifecycle?.preStop;
  if (handler === undefined) return;
  const order = { pod, container, containerId, podIp, handler, timeoutMs, signal };
  const failure = await runHook(services, order);
  if (failure === undefined || signal.aborted) return;
  // A container that has ended by itself meanwhile had no use for its hook.
  if (!(await isRunning(services.runtime, containerId))) return;
  services.events.record(pod, {
    type: 'Warning',
    reason: 'FailedPreStopHook',
    message: `PreStopHook failed: ${failure}`,
    container: container.name,
  });
}

/** True also if the runtime does not say. */
async function isRunning(runtime: Runtime, id: string): Promise<boolean> {
  const containers = await runtime.listContainers().catch(() => undefined);
  return containers === undefined || containers.some((each) => each.id === id && each.state === 'running');
}
