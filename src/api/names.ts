// What names, labels and annotation keys may look like, in upstream's words (apimachinery pkg/util/validation and
// pkg/api/validate/content). Each check returns the reasons why a text is bad, none when it is good; which field is
// checked by which rule is the resources' business.

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const WILDCARD_SUBDOMAIN = `\\*\\.${SUBDOMAIN}`;
const UNDERSCORE_LABEL = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const UNDERSCORE_SUBDOMAIN = `${UNDERSCORE_LABEL}(\\.${UNDERSCORE_LABEL})*`;
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED})?`;

const whole = (pattern: string): RegExp => new RegExp(`^${pattern}$`);
const labelPattern = whole(LABEL);
const subdomainPattern = whole(SUBDOMAIN);
const wildcardPattern = whole(WILDCARD_SUBDOMAIN);
const qualifiedPattern = whole(QUALIFIED);
const labelValuePattern = whole(LABEL_VALUE);
const underscoreSubdomainPattern = whole(UNDERSCORE_SUBDOMAIN);
const portNamePattern = /^[-a-z0-9]+$/;

const QUALIFIED_MESSAGE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

const bytes = (text: string): number => Buffer.byteLength(text);

/** Upstream's sentence for a text longer than `length` bytes, which it calls characters in names. */
function maxLengthMessage(length: number, unit: 'bytes' | 'characters' = 'characters'): string {
  return `must be no more than ${length} ${unit}`;
}

/** Upstream's sentence for a text that does not match a pattern. */
export function patternMessage(message: string, pattern: string, ...examples: string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${pattern}')`;
  const list = examples.map((example) => `'${example}', `).join(' or ');
  return `${message} (e.g. ${list}regex used for validation is '${pattern}')`;
}

/** Why a text is bad that must have at most so many bytes and match a pattern. */
function faults(
  text: string,
  pattern: RegExp,
  max: number,
  unit: 'bytes' | 'characters',
  describe: () => string,
): string[] {
  const tooLong = bytes(text) > max ? [maxLengthMessage(max, unit)] : [];
  return pattern.test(text) ? tooLong : [...tooLong, describe()];
}

/** A label of DNS (RFC 1123): at most 63 bytes. Names of pods' hosts, services' subdomains, namespaces. */
export function dns1123Label(name: string): string[] {
  return faults(name, labelPattern, 63, 'characters', () =>
    subdomainPattern.test(name)
      ? 'must not contain dots'
      : patternMessage(
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
          LABEL,
          'my-name',
          '123-abc',
        ),
  );
}

/** Labels joined by dots, at most 253 bytes: what most objects' names must be. */
export function dns1123Subdomain(name: string, unit: 'bytes' | 'characters' = 'characters'): string[] {
  return faults(name, subdomainPattern, 253, unit, () =>
    patternMessage(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
      SUBDOMAIN,
      'example.com',
    ),
  );
}

/** `*.` and a subdomain: all hosts one level below. */
export function wildcardSubdomain(name: string): string[] {
  return faults(name, wildcardPattern, 253, 'characters', () =>
    patternMessage(
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
      WILDCARD_SUBDOMAIN,
      '*.example.com',
    ),
  );
}

/** A subdomain in which underscores are allowed, as some search domains of DNS have them. */
export function underscoreSubdomain(name: string): string[] {
  return faults(name, underscoreSubdomainPattern, 253, 'characters', () =>
    patternMessage(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
      UNDERSCORE_SUBDOMAIN,
      'example.com',
    ),
  );
}

/** An optional DNS subdomain and `/`, then a name: keys of labels and annotations. */
export function qualifiedName(name: string): string[] {
  const describe = (): string => patternMessage(QUALIFIED_MESSAGE, QUALIFIED, 'MyName', 'my.name', '123-abc');
  const parts = name.split('/');
  if (parts.length > 2) {
    return [
      `a valid label key ${describe()} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const reasons: string[] = [];
  const [prefix, local = ''] = parts.length === 2 ? parts : [undefined, parts[0]];
  if (prefix === '') reasons.push('prefix part must be non-empty');
  else if (prefix !== undefined)
    reasons.push(...dns1123Subdomain(prefix, 'bytes').map((reason) => `prefix part ${reason}`));
  if (local === '') reasons.push('name part must be non-empty');
  else if (bytes(local) > 63) reasons.push(`name part ${maxLengthMessage(63, 'bytes')}`);
  if (!qualifiedPattern.test(local)) reasons.push(`name part ${describe()}`);
  return reasons;
}

/** Empty, or at most 63 bytes that begin and end with a letter or digit. */
export function labelValue(value: string): string[] {
  return faults(value, labelValuePattern, 63, 'bytes', () =>
    patternMessage(
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      LABEL_VALUE,
      'MyValue',
      'my_value',
      '12345',
    ),
  );
}

/** An IANA service name: names of ports. */
export function portName(name: string): string[] {
  const reasons: string[] = [];
  if (bytes(name) > 15) reasons.push(maxLengthMessage(15));
  if (!portNamePattern.test(name))
    reasons.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(name)) reasons.push('must contain at least one letter (a-z)');
  if (name.includes('--')) reasons.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) reasons.push('must not begin or end with a hyphen');
  return reasons;
}

/** A name that can stand in a URL as one segment, which every object's name must. */
export function pathSegmentName(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%'].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`);
}

/** The start of a name that ends in a letter or digit: a dash at its own end is none of its faults. */
export function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}
