// The default StorageClass and the default IngressClass: which class is marked as it, and which counts if several are.
// Follows GetDefaultClass in pkg/volume/util/storageclass.go, and getDefaultClass in plugin/pkg/admission/network/
// defaultingressclass/admission.go.
import type { IngressClass, StorageClass } from './generated/types.ts';
import type { Stored } from './objects.ts';

/** The annotation that marks the default class, with the value `true`. */
export const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';
const BETA_DEFAULT_CLASS = 'storageclass.beta.kubernetes.io/is-default-class';

/** Whether the class is marked as the default one. */
export function isDefaultClass({ metadata: { annotations } }: StorageClass): boolean {
  return annotations?.[DEFAULT_CLASS] === 'true' || annotations?.[BETA_DEFAULT_CLASS] === 'true';
}

/** The class that claims without one get: of several the newest, of those of one time the first by name. */
export function defaultClassOf(classes: readonly Stored<StorageClass>[]): Stored<StorageClass> | undefined {
  return classes.filter(isDefaultClass).sort(newestFirst)[0];
}

const DEFAULT_INGRESS_CLASS = 'ingressclass.kubernetes.io/is-default-class';

/** Whether the class is marked as the default one. */
export const isDefaultIngressClass = ({ metadata: { annotations } }: IngressClass): boolean =>
  annotations?.[DEFAULT_INGRESS_CLASS] === 'true';

/** The class that ingresses without one get, of several the newest as with storage classes. */
export function defaultIngressClassOf(
  classes: readonly Stored<IngressClass>[],
): Stored<IngressClass> | undefined {
  return classes.filter(isDefaultIngressClass).sort(newestFirst)[0];
}

function newestFirst({ metadata: a }: Stored, { metadata: b }: Stored): number {
  if (a.creationTimestamp !== b.creationTimestamp) return a.creationTimestamp < b.creationTimestamp ? 1 : -1;
  return a.name < b.name ? -1 : 1;
}
