// What Node itself is told when it runs stead in the background.

/**
 * Room for young objects, in MiB per half. Most of what a control plane makes in a burst (thousands of pods that start)
 * stays, and a small nursery copies it twice. With Node's 16, fifty thousand pods took a tenth longer; with 64, ten
 * thousand took 60 MiB more. It is only taken under load.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=32'];
