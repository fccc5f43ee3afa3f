// The messages of CRI as proto-loader hands them over (protos/cri.proto): snake_case, numbers for longs, names for
// enums, empty values for what was not set. Only types; what they mean is translated in requests.ts and answers.ts.

export interface WireSandbox {
  id: string;
  metadata: { name: string; uid: string; namespace: string; attempt: number } | null;
  state: 'SANDBOX_READY' | 'SANDBOX_NOTREADY';
  created_at: number;
  labels: Record<string, string>;
}

export interface WireSandboxStatus extends WireSandbox {
  network: { ip: string; additional_ips: Array<{ ip: string }> } | null;
  annotations: Record<string, string>;
}

export type WireContainerState =
  | 'CONTAINER_CREATED'
  | 'CONTAINER_RUNNING'
  | 'CONTAINER_EXITED'
  | 'CONTAINER_UNKNOWN';

export interface WireContainer {
  id: string;
  pod_sandbox_id: string;
  metadata: { name: string; attempt: number } | null;
  state: WireContainerState;
  labels: Record<string, string>;
}

export interface WireContainerStatus {
  id: string;
  metadata: { name: string; attempt: number } | null;
  state: WireContainerState;
  created_at: number;
  started_at: number;
  finished_at: number;
  exit_code: number;
  image: { image: string } | null;
  image_ref: string;
  reason: string;
  message: string;
  labels: Record<string, string>;
}

export interface WireContainerStats {
  attributes: { id: string } | null;
  /** Measured by containerd every 10 s; not there for a container that is younger. */
  writable_layer: { used_bytes: { value: number } | null; inodes_used: { value: number } | null } | null;
}

export interface WireImage {
  id: string;
  repo_tags: string[];
  repo_digests: string[];
  size: number;
  uid: { value: number } | null;
  username: string;
}

/** Of containerd's snapshots service (protos/snapshots.proto). */
export interface WireMount {
  type: string;
  source: string;
  options: string[];
}
