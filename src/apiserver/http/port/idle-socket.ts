// Ends a connection on which nothing has moved for long, in whatever protocol.
import type { Socket } from 'node:net';
import type { CancelTimer, Clock } from '../../../base/clock.ts';

/** How often is looked, as a part of the time that it may be idle. */
const LOOKS = 4;

/** Destroys the socket when no byte has come or gone for between that long and a quarter more. */
export function endWhenIdle(clock: Clock, socket: Socket, idleMs: number): void {
  let [moved, looks] = [-1, 0];
  let received: number | undefined;
  let cancel: CancelTimer;
  const look = (): void => {
    // A socket that was upgraded does not count what it reads. To listen before its owner does would take its data.
    if (received === undefined && socket.readableFlowing !== null) {
      received = 0;
      socket.on('data', (chunk: Buffer) => {
        received = (received ?? 0) + chunk.length;
      });
    }
    const total = (received ?? 0) + socket.bytesWritten;
    looks = total === moved ? looks + 1 : 0;
    moved = total;
    if (looks >= LOOKS) socket.destroy();
    else cancel = clock.after(idleMs / LOOKS, look);
  };
  cancel = clock.after(idleMs / LOOKS, look);
  socket.once('close', () => cancel());
}
