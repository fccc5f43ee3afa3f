// The short name of a revision's content: FNV-1a of its canonical text, spelled without vowels. Only stability
// matters: the same template gives the same name, whatever the order of its fields. Which revision is made when is
// revisions.ts's.

/** The JSON of a value with the keys of every object in order, so that equal contents give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}

function fnv32a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash >>> 0;
}

/** Upstream's alphabet for generated names (apimachinery pkg/util/rand): it spells nothing. */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * The hash of a revision's content as part of a name.
 * @param collisions how often another content had the name already: each count gives another hash.
 */
export function revisionHash(canonical: string, collisions: number): string {
  const hash = fnv32a(collisions === 0 ? canonical : `${canonical}${collisions}`);
  return [...String(hash)].map((digit) => SAFE[digit.charCodeAt(0) % SAFE.length]).join('');
}
