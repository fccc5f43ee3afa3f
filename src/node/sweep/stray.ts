// What a killed process may leave on the machine, one thing of it.

export interface Stray {
  /** Tells it from all others, and says what it is: `cgroup /stead/default/burstable/pod…`. */
  what: string;
  remove(): Promise<void>;
}

/** Who may own something. */
export interface Owners {
  /** IDs of the runtime's sandboxes. */
  sandboxIds: ReadonlySet<string>;
  /** Whether every one of them runs. */
  allRun: boolean;
  /** UIDs of the pods that have a sandbox. */
  sandboxPods: ReadonlySet<string>;
  /** UIDs of the pods that the API has or that have a sandbox. */
  pods: ReadonlySet<string>;
}
