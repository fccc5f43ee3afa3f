// A unix socket that only its owner may open. What listens there is its caller's business.
import { rmSync } from 'node:fs';
import type { Server } from 'node:net';

/**
 * Listens at a path, in place of a socket that a killed process has left. Nobody else can open it from its first moment on:
 * made first and closed to others then, it would be open to them in between, wherever the process's umask allows it.
 */
export function listenPrivately(server: Server, socketPath: string): Promise<void> {
  rmSync(socketPath, { force: true });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const umask = process.umask(0o177);
    try {
      // It is bound when the call returns.
      server.listen(socketPath, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
}
