// Stops one container gracefully: preStop first, then the stop signal, then KILL, all within one grace period
// (kubelet's killContainer).
import type { Container, Pod } from '../../api/generated/types.ts';
import { runHook } from './hooks.ts';
import type { NodeServices } from './node-services.ts';

/** A container always gets this long between TERM and KILL, unless its grace period is shorter by itself. */
const MINIMUM_GRACE_SECONDS = 2;

/** Resolves when it has exited. `message` is what the Killing event says. */
export async function stopContainer(
  services: NodeServices,
  pod: Pod,
  container: Container | undefined,
  containerId: string,
  podIp: string,
  graceSeconds: number,
  message: string,
): Promise<void> {
  const { clock, events, runtime } = services;
  const name = container?.name ?? '';
  events.record(pod, { type: 'Normal', reason: 'Killing', message, container: name });
  let remaining = graceSeconds;
  const hook = container?.lifecycle?.preStop;
  if (container !== undefined && hook !== undefined && graceSeconds > 0) {
    const startedAt = clock.now();
    const failure = await runHook(services, container, containerId, podIp, hook, graceSeconds * 1000).catch(
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    if (failure !== undefined) {
      events.record(pod, {
        type: 'Warning',
        reason: 'FailedPreStopHook',
        message: `PreStopHook failed: ${failure}`,
        container: name,
      });
    }
    remaining -= Math.floor((clock.now() - startedAt) / 1000);
    remaining = Math.max(remaining, Math.min(MINIMUM_GRACE_SECONDS, graceSeconds));
  }
  await runtime.stopContainer(containerId, remaining);
}
