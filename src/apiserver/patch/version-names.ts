// The names that the fields of an object have in the versions that its kind is served in. Whoever owns a field is
// recorded with the version it wrote in, and in that version's names; whoever writes in another reads them in its own.
import type { ManagedFieldsEntry } from '../../api/generated/types.ts';

type Names = ReadonlyMap<string, string>;

const PREFIX = 'f:';

export class VersionNames {
  readonly #toStored: ReadonlyMap<string, Names>;

  /** @param renamed by apiVersion, its top-level fields that are stored under another name → that name. */
  constructor(renamed: Readonly<Record<string, Readonly<Record<string, string>>>>) {
    const names = Object.entries(renamed).map(([version, fields]): [string, Names] => [
      version,
      new Map(Object.entries(fields)),
    ]);
    this.#toStored = new Map(names);
  }

  /** What an owner has of `fields`, by the names of another version than those that they are in. */
  renamed(fields: object, from: string | undefined, to: string | undefined): object {
    const first = this.#toStored.get(from ?? '');
    const then = this.#toStored.get(to ?? '');
    if (from === to || (!first && !then)) return fields;
    const back = new Map([...(then ?? [])].map(([name, stored]) => [stored, name]));
    const rename = (element: string): string => {
      if (!element.startsWith(PREFIX)) return element;
      const name = element.slice(PREFIX.length);
      const stored = first?.get(name) ?? name;
      return PREFIX + (back.get(stored) ?? stored);
    };
    return Object.fromEntries(Object.entries(fields).map(([element, below]) => [rename(element), below]));
  }
}

/** Names as an object of one version is seen. */
export interface OwnNames {
  versions: VersionNames;
  apiVersion: string | undefined;
}

/** The fields of an entry in the names of the object at hand; without names, as they are. */
export function fieldsHere(
  { fieldsV1, apiVersion }: ManagedFieldsEntry,
  names: OwnNames | undefined,
): unknown {
  if (!names || typeof fieldsV1 !== 'object' || fieldsV1 === null) return fieldsV1;
  return names.versions.renamed(fieldsV1, apiVersion, names.apiVersion);
}
