// The numbers of a type's fields, as its kind declares them, read on first use.
import { perType } from '../../api/schema/schema.ts';

/** A field by its name, or a message whose fields stand in the outer object in JSON. */
export type NumberedField = { name: string } | { inline: NumberedFields };
export type NumberedFields = ReadonlyMap<number, NumberedField>;

/** The fields of a type's message, by number; undefined for a type that is not written in protobuf. */
export const numberedFields = perType(({ declared: { numbers } }): NumberedFields | undefined =>
  numbers === undefined ? undefined : readNumbers(numbers),
);

/** A word, or several in brackets. */
const TOKEN = /(?:(\d+):)?(?:>\(([^)]*)\)|(\w+))/g;

function readNumbers(text: string): NumberedFields {
  const fields = new Map<number, NumberedField>();
  let number = 0;
  for (const [, jump, inline, name = ''] of text.matchAll(TOKEN)) {
    number = jump === undefined ? number + 1 : Number(jump);
    fields.set(number, inline === undefined ? { name } : { inline: readNumbers(inline) });
  }
  return fields;
}
