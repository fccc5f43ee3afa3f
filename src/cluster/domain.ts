// The domain below which the cluster's names are.
export const DOMAIN = 'cluster.local';
