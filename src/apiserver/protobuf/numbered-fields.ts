// The numbers of a type's fields, as its kind declares them, read on first use.
import { type FieldSchema, perType, type StructType } from '../../api/schema/schema.ts';

/** A field, or a message whose fields stand in the outer object in JSON. */
export type NumberedField = { name: string; schema: FieldSchema } | { inline: NumberedFields };
export type NumberedFields = ReadonlyMap<number, NumberedField>;

/** Whether objects of a type are written in protobuf. */
export function hasProtobuf({ declared }: StructType): boolean {
  return declared.numbers !== undefined;
}

/** The fields of a type's message, by number. */
export const numberedFields = perType(
  (type): NumberedFields => readNumbers(type, type.declared.numbers ?? ''),
);

/** A word, or several in brackets. */
const TOKEN = /(?:(\d+):)?(?:>\(([^)]*)\)|(\w+))/g;

function readNumbers(type: StructType, text: string): NumberedFields {
  const fields = new Map<number, NumberedField>();
  let number = 0;
  for (const [, jump, inline, name = ''] of text.matchAll(TOKEN)) {
    number = jump === undefined ? number + 1 : Number(jump);
    const schema = type.field(name);
    if (inline !== undefined) fields.set(number, { inline: readNumbers(type, inline) });
    else if (schema) fields.set(number, { name, schema });
  }
  return fields;
}
