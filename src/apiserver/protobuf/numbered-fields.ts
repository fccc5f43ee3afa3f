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
export const numberedFields = perType((type): NumberedFields => {
  // Words and brackets.
  const tokens = (type.declared.numbers ?? '').match(/[()]|[^\s()]+/g) ?? [];
  return readNumbers(type, tokens.values());
});

/** `name`, `5:name`, and `>` before the brackets of what is written inline: up to the end, or a closing bracket. */
function readNumbers(type: StructType, tokens: Iterator<string>): NumberedFields {
  const fields = new Map<number, NumberedField>();
  let number = 0;
  for (let next = tokens.next(); !next.done && next.value !== ')'; next = tokens.next()) {
    if (next.value === '(') {
      fields.set(number, { inline: readNumbers(type, tokens) });
      continue;
    }
    const colon = next.value.indexOf(':');
    const name = next.value.slice(colon + 1);
    number = colon < 0 ? number + 1 : Number(next.value.slice(0, colon));
    const schema = type.field(name);
    if (schema) fields.set(number, { name, schema });
  }
  return fields;
}
