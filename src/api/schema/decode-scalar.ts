// Decoding of single values: what Go's JSON decoding accepts for each type, and how it names what it does not.
import { canonicalQuantity, formatQuantity, parseQuantity, quantityError } from '../quantity.ts';
import type { ScalarPlan } from './decode-plan.ts';

type ScalarResult =
  | { ok: true; value: string | number | boolean }
  /** `expected`: the value has the wrong type, and that is the Go type wanted; `reason`: the value's text is bad. */
  | { ok: false; expected: string; reason?: undefined }
  | { ok: false; expected?: undefined; reason: string };

const good = (value: string | number | boolean): ScalarResult => ({ ok: true, value });
const wrongType = (expected: string): ScalarResult => ({ ok: false, expected });
const bad = (reason: string): ScalarResult => ({ ok: false, reason });

const INT32_MAX = 2 ** 31 - 1;
const MILLI = 1_000_000n;

/** How Go's errors name a JSON value; numbers are quoted where a whole number in range was wanted. */
export function goValue(value: unknown, goType: string): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return /^int(32|64)$/.test(goType) ? `number ${value}` : 'number';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** What Go has in a scalar that nobody set. */
export function zeroOf(plan: ScalarPlan): string | number | boolean {
  switch (plan.scalar) {
    case 'boolean':
      return false;
    case 'int32':
    case 'int64':
    case 'number':
    case 'int-or-string':
      return 0;
    case 'quantity':
      return '0';
    default:
      return '';
  }
}

/** Decodes one value that is not null. */
export function decodeScalar(plan: ScalarPlan, value: unknown): ScalarResult {
  switch (plan.scalar) {
    case 'string':
      return typeof value === 'string' ? good(value) : wrongType(plan.goType);
    case 'boolean':
      return typeof value === 'boolean' ? good(value) : wrongType(plan.goType);
    case 'number':
      return typeof value === 'number' ? good(value) : wrongType(plan.goType);
    case 'int32':
      return isInt32(value) ? good(value) : wrongType(plan.goType);
    case 'int64':
      return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 63
        ? good(value)
        : wrongType(plan.goType);
    case 'int-or-string':
      return typeof value === 'string' || isInt32(value) ? good(value) : wrongType(plan.goType);
    case 'byte':
      return decodeBytes(value);
    case 'quantity':
      return decodeQuantity(value, plan.roundsToMilli === true);
    default:
      return decodeTime(value, plan.scalar === 'micro-time');
  }
}

function isInt32(value: unknown): value is number {
  return (
    typeof value === 'number' && Number.isInteger(value) && value <= INT32_MAX && value >= -INT32_MAX - 1
  );
}

function decodeBytes(value: unknown): ScalarResult {
  if (typeof value !== 'string') return wrongType('[]uint8');
  const compact = value.replace(/[\r\n]/g, '');
  const illegal = /[^A-Za-z0-9+/=]|=(?!=?$)/.exec(compact);
  if (illegal) return bad(`illegal base64 data at input byte ${illegal.index}`);
  if (compact.length % 4 !== 0) return bad(`illegal base64 data at input byte ${compact.length}`);
  return good(compact);
}

function decodeQuantity(value: unknown, roundsToMilli: boolean): ScalarResult {
  if (typeof value !== 'string' && typeof value !== 'number') return wrongType('resource.Quantity');
  const text = String(value).trim();
  const nano = parseQuantity(text);
  if (nano === undefined) return bad(quantityError(text) ?? '');
  if (!roundsToMilli || nano % MILLI === 0n) return good(canonicalQuantity(text));
  const up = nano > 0n ? MILLI - (nano % MILLI) : -MILLI - (nano % MILLI);
  return good(formatQuantity(nano + up, 'DecimalSI'));
}

const RFC3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** Times are kept in UTC, to the second or (micro-time) the microsecond. */
function decodeTime(value: unknown, micro: boolean): ScalarResult {
  if (typeof value !== 'string') return wrongType('string');
  const layout = micro ? '2006-01-02T15:04:05.000000Z07:00' : '2006-01-02T15:04:05Z07:00';
  const match = RFC3339.exec(value);
  const instant = match ? Date.parse(`${match[1]}${match[3]}`) : Number.NaN;
  if (!match || Number.isNaN(instant)) {
    const shown = JSON.stringify(value);
    return bad(`parsing time ${shown} as ${JSON.stringify(layout)}: cannot parse ${shown} as "2006"`);
  }
  const seconds = new Date(instant).toISOString().slice(0, 19);
  if (!micro) return good(`${seconds}Z`);
  const fraction = (match[2] ?? '.').slice(1, 7).padEnd(6, '0');
  return good(`${seconds}.${fraction}Z`);
}
