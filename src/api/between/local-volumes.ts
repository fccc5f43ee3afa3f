// What storage/ and a node agree on about local volumes: who makes them, where they may lie, what keeps their objects
// until the bytes are gone. How a node lays the bytes out is its own affair.

/** The provisioner of stead's local volumes. */
export const LOCAL_PROVISIONER = 'stead.dev/local';
/** On a node: the absolute path of the directory in which it keeps local volumes. */
export const VOLUME_DIRECTORY = 'stead.dev/volume-directory';
/** On a local volume: the node has not yet removed its bytes. */
export const LOCAL_VOLUME_FINALIZER = 'stead.dev/local-volume';
