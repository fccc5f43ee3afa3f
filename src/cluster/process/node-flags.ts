// What Node itself is told when it starts the two processes of a stead in the background. What the API's is told while it
// runs: heap.ts.

/**
 * Room for young objects, in MiB for each of its halves. Requests that are under way when it is full are taken for
 * long-lived: with Node's own 16, an API that is asked all it can spends a third more of a processor on each get.
 */
export const API_PROCESS_FLAGS: readonly string[] = ['--max-semi-space-size=32'];

/**
 * It makes little at a time: the heap is looked through when it has grown by 30 %, and less room for young objects means that
 * it is filled, and held for good, with less.
 */
export const NODE_PROCESS_FLAGS: readonly string[] = ['--heap-growing-percent=30', '--max-semi-space-size=2'];
