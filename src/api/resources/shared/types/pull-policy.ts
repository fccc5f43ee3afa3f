// When an image is pulled, where nothing is said (pkg/apis/core/v1/defaults.go).

/** Images without a tag, or tagged latest, are always pulled; those with another tag or a digest only when missing. */
export function pullPolicyOf(image: string | undefined): 'Always' | 'IfNotPresent' {
  const [name = '', digest] = (image ?? '').split('@', 2);
  if (name === '') return 'IfNotPresent';
  const tag = /:([^/:]+)$/.exec(name)?.[1] ?? (digest === undefined ? 'latest' : '');
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

/** The same for a container that has none. */
export function defaultPullPolicy(container: { image?: string; imagePullPolicy?: string }): void {
  container.imagePullPolicy ??= pullPolicyOf(container.image);
}
