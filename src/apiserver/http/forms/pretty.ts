// JSON for human eyes: asked for with ?pretty=true, or by the programs that people look at answers with. Follows
// apiserver pkg/endpoints/handlers/negotiation (isPrettyPrint).
import type { Exchange } from '../port/exchange.ts';

/** Browsers and command-line tools, by how their User-Agent begins. */
const HUMAN = /^(?:curl|Wget|Mozilla\/5\.0)/;
/** As Go reads booleans. */
const TRUE: readonly string[] = ['1', 't', 'T', 'true', 'TRUE', 'True'];

/** Whether JSON that answers this request is to be indented. */
export function wantsPretty(exchange: Pick<Exchange, 'target' | 'header'>): boolean {
  const { target } = exchange;
  if (target.includes('pretty')) {
    const value = new URLSearchParams(target.slice(target.indexOf('?') + 1)).get('pretty');
    if (value) return TRUE.includes(value);
  }
  return HUMAN.test(exchange.header('user-agent') ?? '');
}

/** Longer answers are read by nobody, and take seconds to indent. */
const MAX_INDENTED = 1024 * 1024;

/** The same JSON, indented if it is for human eyes. */
export function indented(json: Uint8Array): Uint8Array {
  if (json.length > MAX_INDENTED) return json;
  return Buffer.from(JSON.stringify(JSON.parse(Buffer.from(json).toString()), null, 2));
}
