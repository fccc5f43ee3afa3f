// Numbers that may be given as a percentage of something (`maxUnavailable: 25%`), as apimachinery's
// pkg/util/intstr reads them. Which fields may be a percentage is the resources' business.
import { patternMessage } from './names.ts';

/** The reasons why a text is no percentage, in upstream's words; none when it is one. */
export function percentErrors(text: string): string[] {
  if (/^[0-9]+%$/.test(text)) return [];
  return [
    patternMessage(
      "a valid percent string must be a numeric string followed by an ending '%'",
      '[0-9]+%',
      '1%',
      '93%',
    ),
  ];
}

/** The percentage of a text such as `25%`; undefined for anything else. */
export function percentOf(value: number | string): number | undefined {
  return typeof value === 'string' && percentErrors(value).length === 0
    ? Number(value.slice(0, -1))
    : undefined;
}

/**
 * The number itself, or the percentage of `total`, rounded up or down to a whole number
 * (`intstr.GetScaledValueFromIntOrPercent`). Throws RangeError for a text that is no percentage.
 */
export function scaledValue(value: number | string, total: number, roundUp: boolean): number {
  if (typeof value === 'number') return value;
  const percent = /^[+-]?\d+%$/.test(value) ? Number(value.slice(0, -1)) : undefined;
  if (percent === undefined) {
    throw new RangeError(
      value.endsWith('%')
        ? `invalid value for IntOrString: invalid value "${value}"`
        : 'invalid value for IntOrString: invalid type: string is not a percentage',
    );
  }
  const scaled = (percent * total) / 100;
  return roundUp ? Math.ceil(scaled) : Math.floor(scaled);
}
