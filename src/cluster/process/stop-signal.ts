// The signal that ends rooms. When it is given is the cluster's business.
import { setMaxListeners } from 'node:events';

/** What ends a group of rooms: many of them listen to it, which Node would otherwise take for a leak. */
export function stopSignal(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
