// What Node itself is told when it runs the node process. What the process of the API is told while it runs: heap.ts.

/**
 * It makes little at a time: the heap is looked through when it has grown by 30 %, and less room for young objects means that
 * it is filled, and held for good, with less.
 */
export const NODE_PROCESS_FLAGS: readonly string[] = ['--heap-growing-percent=30', '--max-semi-space-size=2'];
