// How statuses name a container: the name of its runtime and the runtime's own ID (kubelet container.ContainerID).

/** `containerd://<id>`. @param runtime the runtime's name. */
export function containerIdOf(runtime: string, id: string): string {
  return `${runtime}://${id}`;
}

/** The runtime's own ID in what a status says, whichever runtime wrote it; a pod may outlive the change to another. */
export function idWithin(containerId: string): string {
  return containerId.replace(/^[^:]*:\/\//, '');
}
