// Fields that are kept as the client wrote them: typed and pruned, but without defaults or empty structs added.
// Upstream fills in claim templates, and kubectl, which compares that list whole, then reports `configured` for
// every apply of an unchanged StatefulSet. A claim gets its defaults when it is made from the template.

/** Type → its fields of this kind, separated by blanks. */
const VERBATIM: Readonly<Record<string, string>> = {
  StatefulSetSpec: 'volumeClaimTemplates',
};

export function isVerbatim(typeName: string, field: string): boolean {
  return VERBATIM[typeName]?.split(' ').includes(field) ?? false;
}
