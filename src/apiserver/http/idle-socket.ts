// Ends a connection on which nothing has moved for long, in whatever protocol.
import type { Socket } from 'node:net';
import type { CancelTimer, Clock } from '../../api/clock.ts';

/** How often is looked, as a part of the time that it may be idle. */
const LOOKS = 4;

/** Destroys the socket when no byte has come or gone for between that long and a quarter more. */
export function endWhenIdle(clock: Clock, socket: Socket, idleMs: number): void {
  let [moved, looks] = [-1, 0];
  let cancel: CancelTimer;
  const look = (): void => {
    const total = socket.bytesRead + socket.bytesWritten;
    looks = total === moved ? looks + 1 : 0;
    moved = total;
    if (looks >= LOOKS) socket.destroy();
    else cancel = clock.after(idleMs / LOOKS, look);
  };
  cancel = clock.after(idleMs / LOOKS, look);
  socket.once('close', () => cancel());
}
