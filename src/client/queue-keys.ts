// What a controller's queue holds, as values, and how they are written in it: a queue compares texts. Nothing else makes
// or reads these texts.
import { type NamespacedName, nameOf, type ObjectKey, parseKey } from '../api/objects.ts';

/** How keys of one sort are written in a queue. Keys that mean the same are written the same. */
export interface KeyForm<K> {
  write(key: K): string;
  /** Reads what `write` wrote. */
  read(text: string): K;
}

/** Keys of the objects of one kind. */
export const objectKeys: KeyForm<ObjectKey> = { write: nameOf, read: parseKey };

/** The same, for a controller that wants them as texts. */
export const namespacedNames: KeyForm<NamespacedName> = {
  write: (key) => key,
  read: (text) => nameOf(parseKey(text)),
};

/** Keys of objects of several kinds in one queue. */
export interface KindKey<Kind extends string> extends ObjectKey {
  kind: Kind;
}

/** Keys of whatever kinds there are. The name of a kind has no colon. */
export const anyKindKeys: KeyForm<KindKey<string>> = {
  write: (key) => `${key.kind}:${nameOf(key)}`,
  read(text) {
    const colon = text.indexOf(':');
    return { kind: text.slice(0, colon), ...parseKey(text.slice(colon + 1)) };
  },
};

/** @param kinds all that there are, as the keys name them: `claim`, `volume`. */
export function kindKeys<const Kind extends string>(...kinds: Kind[]): KeyForm<KindKey<Kind>> {
  return {
    write: anyKindKeys.write,
    read(text) {
      const key = anyKindKeys.read(text);
      const kind = kinds.find((each) => each === key.kind);
      if (kind === undefined)
        throw new Error(`the key "${text}" is of none of the kinds ${kinds.join(', ')}`);
      return { ...key, kind };
    },
  };
}

/** @param key of the object; its metadata will do. */
export function kindKey<const Kind extends string>(
  kind: Kind,
  { namespace, name }: ObjectKey,
): KindKey<Kind> {
  return { kind, namespace, name };
}
