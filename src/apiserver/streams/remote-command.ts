// Joins a client's channels to a session in a container: bytes both ways, terminal sizes in, the outcome out as
// the metav1.Status that kubectl reads its exit code from (kubelet pkg/kubelet/server/remotecommand).
import { pipeline } from 'node:stream';
import type { Session } from '../../api/between/node-streams.ts';
import { internal, StatusError } from '../../api/errors.ts';
import type { Status } from '../../api/generated/types.ts';
import { errorText } from '../../base/error-text.ts';
import type { Channels } from './channels.ts';

/** Runs until the command has ended, the session could not be opened, or the client has gone. Never rejects. */
export async function joinSession(channels: Channels, open: () => Promise<Session>): Promise<void> {
  let session: Session;
  try {
    session = await open();
  } catch (error) {
    await channels.finish(statusOf(error));
    return;
  }
  channels.onGone(() => session.close());
  channels.onResize(({ Width, Height }) => session.resize(Width, Height));
  const ignore = (): void => {};
  if (channels.stdin && session.stdin) pipeline(channels.stdin, session.stdin, ignore);
  const outputs = [carry(session.stdout, channels.stdout), carry(session.stderr, channels.stderr)];
  try {
    const { exitCode, error } = await session.exit;
    await Promise.all(outputs);
    await channels.finish(error ? statusOf(new Error(error)) : exitStatus(exitCode));
  } catch (error) {
    await channels.finish(statusOf(error));
  }
}

/** Resolves when all output is on its way to the client, or there is nobody to send it to. */
function carry(
  from: NodeJS.ReadableStream | undefined,
  to: NodeJS.WritableStream | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    if (!from) return resolve();
    if (!to) {
      from.once('end', resolve);
      from.once('close', resolve);
      from.once('error', () => resolve());
      from.resume();
      return;
    }
    // Not only read: what the client has not taken yet must go before the outcome does.
    pipeline(from, to, () => resolve());
  });
}

function exitStatus(exitCode: number): Status {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit code ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: `${exitCode}` }] },
  };
}

function statusOf(error: unknown): Status {
  if (error instanceof StatusError) return error.status;
  return internal(errorText(error)).status;
}
