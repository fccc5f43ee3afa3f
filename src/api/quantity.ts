// Amounts of resources (`100m`, `200Mi`, `1e3`): exact reading, comparing and upstream's canonical writing
// (apimachinery pkg/api/resource/quantity.go). Amounts are bigints in nano-units, the finest that upstream keeps.

/** Upstream's message for a text that is no quantity. */
export const QUANTITY_ERROR =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** Upstream's message for a quantity whose suffix it does not know (`1i`). */
export const QUANTITY_SUFFIX_ERROR = "unable to parse quantity's suffix";

export type QuantityFormat = 'BinarySI' | 'DecimalSI' | 'DecimalExponent';

const NANO = 1_000_000_000n;
const MAX_BINARY = (1n << 63n) - 1n;
/** Powers of ten beyond this are no amount of anything, and would only cost memory. */
const MAX_EXPONENT = 100;

const DECIMAL_SUFFIXES: Record<string, number> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY_SUFFIXES: Record<string, number> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };

interface Parsed {
  nano: bigint;
  format: QuantityFormat;
  /** The text is one that upstream keeps as it was written. */
  keepsText: boolean;
}

interface Suffix {
  format: QuantityFormat;
  /** A power of two for BinarySI, of ten otherwise. */
  exponent: number;
}

function readSuffix(text: string): Suffix | undefined {
  const decimal = DECIMAL_SUFFIXES[text];
  if (decimal !== undefined) return { format: 'DecimalSI', exponent: decimal };
  const binary = BINARY_SUFFIXES[text];
  if (binary !== undefined) return { format: 'BinarySI', exponent: binary };
  if (!/^[eE][-+]?\d+$/.test(text)) return undefined;
  const exponent = Number(text.slice(1));
  return Math.abs(exponent) <= MAX_EXPONENT ? { format: 'DecimalExponent', exponent } : undefined;
}

function roundUp(numerator: bigint, denominator: bigint): bigint {
  return (numerator + denominator - 1n) / denominator;
}

type Reading = Parsed | 'malformed' | 'suffix';

/** Longer texts are no amount of anything, and reading their digits takes time that grows with the square of them. */
const MAX_LENGTH = 256;

/** Pods ask for the same few amounts again and again. Bounded by starting anew; long texts are nobody's. */
const readings = new Map<string, Reading>();
const MAX_READINGS = 2048;
const MAX_KNOWN_LENGTH = 32;

function parse(text: string): Reading {
  if (text.length > MAX_LENGTH) return 'malformed';
  let reading = readings.get(text);
  if (reading === undefined) {
    reading = read(text);
    if (readings.size >= MAX_READINGS) readings.clear();
    if (text.length <= MAX_KNOWN_LENGTH) readings.set(text, reading);
  }
  return reading;
}

function read(text: string): Reading {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?((?:[eEinumkKMGTP]+[-+]?|[-+])\d*)?$/.exec(text);
  if (!match) return 'malformed';
  const [, sign, whole = '', fraction = '', suffixText = ''] = match;
  if (whole === '' && fraction === '') return 'malformed';
  const suffix = readSuffix(suffixText);
  if (!suffix) return 'suffix';

  const digits = BigInt(whole + fraction);
  const scale = (suffix.format === 'BinarySI' ? 0 : suffix.exponent) - fraction.length + 9;
  let magnitude = suffix.format === 'BinarySI' ? digits << BigInt(suffix.exponent) : digits;
  // What is finer than a nano-unit is rounded away from zero: who asks for some gets some.
  magnitude = scale >= 0 ? magnitude * 10n ** BigInt(scale) : roundUp(magnitude, 10n ** BigInt(-scale));
  if (suffix.format === 'BinarySI' && magnitude > MAX_BINARY * NANO) magnitude = MAX_BINARY * NANO;

  const significant = whole.replace(/^0+/, '') + fraction;
  const keepsText =
    suffix.format === 'BinarySI'
      ? fraction === '' && (digits & 7n) !== 0n
      : (suffix.exponent - fraction.length) % 3 === 0 &&
        scale >= 0 &&
        significant.length <= 18 &&
        whole.replace(/^0+/, '') !== '' &&
        !significant.endsWith('000');
  return { nano: sign === '-' ? -magnitude : magnitude, format: suffix.format, keepsText };
}

/** The amount in nano-units, exactly; undefined when the text is no quantity. */
export function parseQuantity(text: string): bigint | undefined {
  const parsed = parse(text);
  return typeof parsed === 'string' ? undefined : parsed.nano;
}

/** The amount in nano-units; none for what is not said or is no quantity. */
export function amountOf(text: string | undefined): bigint {
  return (text === undefined ? undefined : parseQuantity(text)) ?? 0n;
}

/** Why a text is no quantity, in upstream's words; undefined when it is one. */
export function quantityError(text: string): string | undefined {
  const parsed = parse(text);
  if (typeof parsed !== 'string') return undefined;
  return parsed === 'suffix' ? QUANTITY_SUFFIX_ERROR : QUANTITY_ERROR;
}

function mustParse(text: string): Parsed {
  const parsed = parse(text);
  if (typeof parsed === 'string') {
    throw new RangeError(`"${text}": ${parsed === 'suffix' ? QUANTITY_SUFFIX_ERROR : QUANTITY_ERROR}`);
  }
  return parsed;
}

/** The amount as a number of whole units (cores, bytes), as near as a double comes. Throws RangeError on a malformed text. */
export function quantityToNumber(text: string): number {
  const { nano } = mustParse(text);
  const whole = nano / NANO;
  return Number(whole) + Number(nano - whole * NANO) / 1e9;
}

/** Negative, zero or positive as `a` is less than, equal to or greater than `b`. Throws RangeError on a malformed text. */
export function compareQuantities(a: string, b: string): number {
  const difference = mustParse(a).nano - mustParse(b).nano;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The text that upstream stores and shows for a quantity: `0.1` → `100m`. Throws RangeError on a malformed text. */
export function canonicalQuantity(text: string): string {
  const parsed = mustParse(text);
  return parsed.keepsText ? text : formatQuantity(parsed.nano, parsed.format);
}

/** Writes an amount (nano-units) canonically; BinarySI falls back to DecimalSI where it would lose precision. */
export function formatQuantity(nano: bigint, format: QuantityFormat): string {
  if (nano === 0n) return '0';
  const magnitude = nano < 0n ? -nano : nano;
  if (format === 'BinarySI' && magnitude >= 1024n * NANO && magnitude % NANO === 0n) {
    return formatBinary(nano / NANO);
  }
  return formatDecimal(nano, format === 'DecimalExponent' ? 'DecimalExponent' : 'DecimalSI');
}

function formatBinary(units: bigint): string {
  const suffixes = ['', ...Object.keys(BINARY_SUFFIXES)];
  let step = 0;
  let mantissa = units;
  while (step < suffixes.length - 1 && mantissa % 1024n === 0n) {
    mantissa /= 1024n;
    step++;
  }
  return `${mantissa}${suffixes[step]}`;
}

function formatDecimal(nano: bigint, format: 'DecimalSI' | 'DecimalExponent'): string {
  const limit = format === 'DecimalSI' ? 18 : MAX_EXPONENT;
  let exponent = -9;
  let mantissa = nano;
  while (exponent + 3 <= limit && mantissa % 1000n === 0n) {
    mantissa /= 1000n;
    exponent += 3;
  }
  if (format === 'DecimalExponent') return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`;
  const suffix = Object.entries(DECIMAL_SUFFIXES).find(([, value]) => value === exponent);
  return `${mantissa}${suffix?.[0] ?? ''}`;
}
