// The API's port: whether it can be had, and what is said when it cannot.
import { createServer } from 'node:net';
import { UserError } from './user-error.ts';

/** Where the API listens. */
export const HOST = '127.0.0.1';

/**
 * Takes the port for a moment; 0 is always free.
 * @throws UserError if it cannot be had.
 */
export async function checkPort(port: number): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, HOST, resolve);
    });
  } catch (error) {
    throw portError(error, port);
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

/** The sentence for an error of a port that was to be opened; anything else is given back as it is. */
export function portError(error: unknown, port: number): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  switch (error.code) {
    case 'EADDRINUSE':
      return new UserError(
        `Port ${port} on ${HOST} is in use: end what listens there, or give another --port.`,
      );
    case 'EACCES':
      return new UserError(`Port ${port} on ${HOST} may not be used by this user: give a --port above 1023.`);
    default:
      return error;
  }
}
