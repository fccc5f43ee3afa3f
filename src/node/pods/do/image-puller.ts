// Makes the image of a container present, as its pull policy says (kubelet images/image_manager.go). Back-off is
// decided by the plan; here is one attempt.

import type { Container, Pod, Secret } from '../../../api/generated/types.ts';
import { secrets as secretResource } from '../../../api/resources/secrets/definition.ts';
import { errorText } from '../../../base/error-text.ts';
import { BACKOFF_INITIAL_MS, doubled, goDuration } from '../decide/backoff.ts';
import { invalidImageName } from '../decide/image-name.ts';
import type { ImageState } from '../decide/observation.ts';
import { credentialsFor } from '../spec/pull-secrets.ts';
import type { NodeServices } from './node-services.ts';

/**
 * One attempt.
 * @param before what the last attempt came to.
 * @param mayPull false: only look whether the image has appeared by itself.
 * @param signal gives it up.
 * @returns what it came to; undefined if it was given up.
 */
export async function ensureImage(
  services: NodeServices,
  pod: Pod,
  container: Container,
  before: ImageState | undefined,
  mayPull: boolean,
  signal: AbortSignal,
): Promise<ImageState | undefined> {
  const { clock, events, runtime } = services;
  const image = container.image ?? '';
  const policy = container.imagePullPolicy ?? 'IfNotPresent';
  const say = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
    events.record(pod, { type, reason, message, container: container.name });
  const fail = (reason: string, message: string): ImageState => {
    const now = clock.now();
    const delay =
      before?.state === 'failed' ? doubled(before.retryAtMs - before.failedAtMs) : BACKOFF_INITIAL_MS;
    return {
      state: 'failed',
      name: image,
      reason,
      message,
      failedAtMs: now,
      checkedAtMs: now,
      retryAtMs: now + delay,
    };
  };
  const message = invalidImageName(image);
  if (message !== undefined) {
    if (!mayPull && before?.state === 'failed') return { ...before, checkedAtMs: clock.now() };
    say('Warning', 'InspectFailed', message);
    return fail('InvalidImageName', message);
  }
  try {
    if (policy !== 'Always') {
      const present = await runtime.imageStatus(image);
      if (present !== undefined) {
        say('Normal', 'Pulled', `Container image "${image}" already present on machine`);
        return { state: 'present', name: image, image: present };
      }
    }
    if (!mayPull && before?.state === 'failed') return { ...before, checkedAtMs: clock.now() };
    if (policy === 'Never') {
      const message = `Container image "${image}" is not present with pull policy of Never`;
      say('Warning', 'ErrImageNeverPull', message);
      return fail('ErrImageNeverPull', message);
    }
    const credentials = credentialsFor(image, await pullSecrets(services, pod));
    say('Normal', 'Pulling', `Pulling image "${image}"`);
    const startedAt = clock.now();
    const pulled = await runtime.pullImage(image, credentials, signal);
    const took = goDuration(clock.now() - startedAt);
    say(
      'Normal',
      'Pulled',
      `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${pulled.sizeBytes} bytes.`,
    );
    return { state: 'present', name: image, image: pulled };
  } catch (error) {
    // Given up because the pod ends: nothing is wrong with the image.
    if (signal.aborted) return undefined;
    const message = errorText(error);
    say('Warning', 'Failed', `Failed to pull image "${image}": ${message}`);
    return fail('ErrImagePull', message);
  }
}

/** A secret that cannot be had is no reason not to try: the image may need none. */
async function pullSecrets({ client, events }: NodeServices, pod: Pod): Promise<Secret[]> {
  const { namespace } = pod.metadata;
  const found: Secret[] = [];
  const missing: string[] = [];
  for (const { name } of pod.spec.imagePullSecrets ?? []) {
    if (!name) continue;
    await client.get<Secret>(secretResource, { namespace, name }).then(
      (secret) => found.push(secret),
      () => missing.push(name),
    );
  }
  if (missing.length > 0) {
    const message = `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`;
    events.record(pod, { type: 'Warning', reason: 'FailedToRetrieveImagePullSecret', message });
  }
  return found;
}
