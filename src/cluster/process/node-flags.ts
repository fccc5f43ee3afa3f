// What Node itself is told when it runs stead in the background.

/**
 * How much larger than what is in use the heap may grow before it is looked through, in percent. A control plane makes much
 * that lives for seconds; left to itself Node lets a small heap grow to three times what is in use. For young objects it has
 * the room that Node gives by itself (`--max-semi-space-size=16`): with 32, fifty thousand pods took a tenth less time, and a
 * stead that had been busy once held 50 MiB more for good.
 *
 * Whenever the heap is looked through as a whole, what is left is moved together: without that, of what four replaced pods a
 * second leave behind a third more memory was held after twenty minutes, for the same time of the processor.
 */
export const NODE_FLAGS: readonly string[] = ['--heap-growing-percent=30', '--compact-on-every-full-gc'];

/**
 * The same for the node process, which makes little at a time: less room for young objects means that it is filled, and
 * held for good, with less.
 */
export const NODE_PROCESS_FLAGS: readonly string[] = [...NODE_FLAGS, '--max-semi-space-size=2'];
