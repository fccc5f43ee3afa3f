// The table of field numbers, read type by type on first use.
import { FIELD_NUMBERS } from './field-numbers.ts';

export interface NumberedField {
  name: string;
  quantity: boolean;
  /** The type whose fields are meant; undefined for an ordinary field. */
  inline: string | undefined;
}

const plans = new Map<string, ReadonlyMap<number, NumberedField>>();

/** The fields of a message, by number. */
export function numberedFields(type: string): ReadonlyMap<number, NumberedField> {
  let plan = plans.get(type);
  if (!plan) {
    plan = readPlan(FIELD_NUMBERS[type] ?? '');
    plans.set(type, plan);
  }
  return plan;
}

function readPlan(text: string): ReadonlyMap<number, NumberedField> {
  const plan = new Map<number, NumberedField>();
  let number = 0;
  for (const token of text.split(' ')) {
    const colon = token.indexOf(':');
    number = colon < 0 ? number + 1 : Number(token.slice(0, colon));
    const rest = token.slice(colon + 1);
    const quantity = rest.endsWith('*');
    const name = rest.replace(/[>*]/g, '');
    plan.set(number, { name, quantity, inline: rest.startsWith('>') ? name : undefined });
  }
  return plan;
}
