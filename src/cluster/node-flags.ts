// What Node itself is told when it runs stead in the background.

/**
 * Room for young objects, in MiB per half. Most of what a control plane makes in a burst (thousands of pods that start)
 * stays, and a small nursery copies it twice. With Node's 16, fifty thousand pods took a tenth longer; with 64, ten
 * thousand took 60 MiB more. It is only taken under load, and then not given back.
 */
const YOUNG = '--max-semi-space-size=24';
/**
 * How much larger than what is in use the heap may grow before it is looked through, in percent. A control plane makes much
 * that lives for seconds; left to itself Node lets a small heap grow to three times what is in use.
 */
const OLD = '--heap-growing-percent=30';

export const NODE_FLAGS: readonly string[] = [YOUNG, OLD];
