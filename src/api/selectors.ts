// Label selectors as objects hold them and as requests write them, and field selectors' text (apimachinery
// pkg/labels/selector.go, pkg/fields/selector.go, pkg/apis/meta/v1/validation). Which fields a resource can be
// selected by is not here: that is the resource's own table.

import { own } from '../base/own.ts';
import { badRequest, type FieldError, forbiddenField, invalidValue, required } from './errors.ts';
import type { LabelSelector, LabelSelectorRequirement } from './generated/types.ts';
import { labelValue, qualifiedName } from './names.ts';

type Operator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | '>' | '<';

/** One condition on one label. */
export interface Requirement {
  key: string;
  operator: Operator;
  values: readonly string[];
}

/** A decision about labels. */
export interface Selector {
  matches(labels: Record<string, string> | undefined): boolean;
  /** Whether it restricts nothing. */
  readonly empty: boolean;
  /** The text of a request's labelSelector that means the same. */
  toString(): string;
}

/** Matches no object: what an absent selector means. */
const NOTHING: Selector = { matches: () => false, empty: false, toString: () => '' };

/** The decision that a requirement stands for: asked of many objects, and perhaps of many values. */
function testOf({ key, operator, values }: Requirement): (labels: Record<string, string>) => boolean {
  const known = new Set(values);
  switch (operator) {
    case '=':
    case '==':
    case 'in':
      return (labels) => {
        const value = own(labels, key);
        return value !== undefined && known.has(value);
      };
    case '!=':
    case 'notin':
      return (labels) => {
        const value = own(labels, key);
        return value === undefined || !known.has(value);
      };
    case 'exists':
      return (labels) => own(labels, key) !== undefined;
    case '!':
      return (labels) => own(labels, key) === undefined;
    default: {
      const limit = BigInt(values[0] ?? '0');
      return (labels) => {
        const value = own(labels, key);
        if (value === undefined || !INTEGER.test(value)) return false;
        return operator === '>' ? BigInt(value) > limit : BigInt(value) < limit;
      };
    }
  }
}

function write({ key, operator, values }: Requirement): string {
  if (operator === 'exists') return key;
  if (operator === '!') return `!${key}`;
  if (operator === 'in' || operator === 'notin')
    return `${key} ${operator} (${[...values].sort().join(',')})`;
  return `${key}${operator}${values[0] ?? ''}`;
}

function selectorFrom(requirements: Requirement[]): Selector {
  const sorted = requirements.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const tests = sorted.map(testOf);
  return {
    matches: (labels = {}) => tests.every((test) => test(labels)),
    empty: sorted.length === 0,
    toString: () => sorted.map(write).join(','),
  };
}

const EXPRESSION_OPERATORS: Record<string, Operator> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

/**
 * The decision that a selector in an object stands for: undefined matches nothing, an empty one everything
 * (`metav1.LabelSelectorAsSelector`). An operator that validation would have refused matches nothing.
 */
export function selectorOf(selector: LabelSelector | undefined): Selector {
  if (!selector) return NOTHING;
  const requirements: Requirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: '=',
    values: [value],
  }));
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = own(EXPRESSION_OPERATORS, operator);
    if (!known) return NOTHING;
    requirements.push({ key, operator: known, values: values ?? [] });
  }
  return selectorFrom(requirements);
}

// ---- validation -----------------------------------------------------------------------------------------------

/** What is wrong with a set of labels (`metav1validation.ValidateLabels`). */
export function validateLabels(labels: Record<string, string> | undefined, path: string): FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...qualifiedName(key).map((reason) => invalidValue(path, key, reason)),
    ...labelValue(value).map((reason) => invalidValue(path, value, reason)),
  ]);
}

function validateRequirement(requirement: LabelSelectorRequirement, path: string): FieldError[] {
  const { key, operator, values = [] } = requirement;
  const errors: FieldError[] = [];
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      errors.push(forbiddenField(`${path}.values`, why));
    }
  } else {
    errors.push(invalidValue(`${path}.operator`, operator, 'not a valid selector operator'));
  }
  errors.push(...qualifiedName(key).map((reason) => invalidValue(`${path}.key`, key, reason)));
  values.forEach((value, index) => {
    errors.push(
      ...labelValue(value).map((reason) => invalidValue(`${path}.values[${index}]`, value, reason)),
    );
  });
  return errors;
}

/** What is wrong with a selector of an object (`metav1validation.ValidateLabelSelector`); `path` names its field. */
export function validateLabelSelector(selector: LabelSelector | undefined, path: string): FieldError[] {
  if (!selector) return [];
  return [
    ...validateLabels(selector.matchLabels, `${path}.matchLabels`),
    ...(selector.matchExpressions ?? []).flatMap((requirement, index) =>
      validateRequirement(requirement, `${path}.matchExpressions[${index}]`),
    ),
  ];
}

// ---- the text of a request's labelSelector ----------------------------------------------------------------------

/** Each is asked of every object of a list, and of every event of a watch. */
const MAX_TERMS = 256;
const INTEGER = /^[+-]?\d{1,19}$/;
const BINARY_OPERATORS: readonly Operator[] = ['in', 'notin', '=', '==', '!=', '>', '<'];
const WORD = /[^\s=!(),<>]+/y;

interface Token {
  /** A word may be a key, a value, or the operators `in` and `notin`. */
  type: 'word' | 'symbol' | 'end';
  text: string;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text.charAt(at))) {
      at++;
      continue;
    }
    WORD.lastIndex = at;
    const word = WORD.exec(text)?.[0];
    const pair = text.slice(at, at + 2);
    const symbol = pair === '==' || pair === '!=' ? pair : text.charAt(at);
    tokens.push(word === undefined ? { type: 'symbol', text: symbol } : { type: 'word', text: word });
    at += (word ?? symbol).length;
  }
  tokens.push({ type: 'end', text: '' });
  return tokens;
}

class SelectorParser {
  readonly #tokens: Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { type: 'end', text: '' };
  }

  #next(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }

  #startsRequirement(): boolean {
    const token = this.#peek();
    return token.type === 'word' || (token.type === 'symbol' && token.text === '!');
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    if (this.#peek().type === 'end') return requirements;
    if (!this.#startsRequirement()) {
      throw badRequest(`found '${this.#peek().text}', expected: !, identifier, or 'end of string'`);
    }
    for (;;) {
      if (requirements.length >= MAX_TERMS) throw tooManyTerms('labelSelector');
      requirements.push(this.#requirement());
      const separator = this.#next();
      if (separator.type === 'end') return requirements;
      if (separator.text !== ',')
        throw badRequest(`found '${separator.text}', expected: ',' or 'end of string'`);
      if (!this.#startsRequirement())
        throw badRequest(`found '${this.#peek().text}', expected: identifier after ','`);
    }
  }

  #requirement(): Requirement {
    const negated = this.#peek().text === '!';
    if (negated) this.#next();
    const key = this.#next();
    if (key.type !== 'word') fail(`found '${key.text}', expected: identifier`);
    const reasons = qualifiedName(key.text);
    if (reasons.length > 0) fail(`<nil>: Invalid value: ${JSON.stringify(key.text)}: ${reasons.join('; ')}`);
    const after = this.#peek();
    if (negated || after.type === 'end' || after.text === ',') {
      return { key: key.text, operator: negated ? '!' : 'exists', values: [] };
    }
    const operator = BINARY_OPERATORS.find((known) => known === after.text);
    if (!operator) fail(`found '${after.text}', expected: in, notin, =, ==, !=, gt, lt`);
    this.#next();
    const isSet = operator === 'in' || operator === 'notin';
    return this.#checked({
      key: key.text,
      operator,
      values: isSet ? this.#values() : [this.#value()],
    });
  }

  #checked(requirement: Requirement): Requirement {
    const { key, operator, values } = requirement;
    values.forEach((value, index) => {
      const shown = JSON.stringify(value);
      if ((operator === '>' || operator === '<') && !INTEGER.test(value)) {
        fail(
          `values[${index}]: Invalid value: ${shown}: for 'Gt', 'Lt' operators, the value must be an integer`,
        );
      }
      const reasons = labelValue(value);
      if (reasons.length > 0)
        fail(`values[${index}][${key}]: Invalid value: ${shown}: ${reasons.join('; ')}`);
    });
    return requirement;
  }

  /** The one value after `=`; nothing there means the empty one. */
  #value(): string {
    const token = this.#peek();
    if (token.type === 'end' || token.text === ',') return '';
    if (token.type !== 'word') fail(`found '${token.text}', expected: identifier`);
    return this.#next().text;
  }

  /** The values in parentheses; `(,)` and `()` hold the empty one. */
  #values(): string[] {
    const open = this.#next();
    if (open.text !== '(') fail(`found '${open.text}' expected: '('`);
    const values = new Set<string>();
    for (;;) {
      const token = this.#peek();
      values.add(token.type === 'word' ? this.#next().text : '');
      const separator = this.#next();
      if (separator.type === 'symbol' && separator.text === ')') return [...values].sort();
      if (separator.text !== ',') fail(`found '${separator.text}', expected: ',' or ')'`);
    }
  }
}

function tooManyTerms(selector: string): Error {
  return badRequest(`the ${selector} has too many terms: at most ${MAX_TERMS} are allowed`);
}

function fail(reason: string): never {
  throw badRequest(`unable to parse requirement: ${reason}`);
}

/**
 * Reads a request's labelSelector: `a=b,c!=d,e in (f,g),h notin (i),j,!k`. The empty text selects everything.
 * Throws badRequest with upstream's reason.
 */
export function parseLabelSelector(text: string): Selector {
  return selectorFrom(new SelectorParser(text).parse());
}

// ---- the text of a request's fieldSelector ----------------------------------------------------------------------

export interface FieldRequirement {
  path: string;
  operator: '=' | '!=';
  value: string;
}

/** Reads a request's fieldSelector: `metadata.name=a,status.phase!=Running`. Throws badRequest with upstream's reason. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  const terms = text.match(/(?:\\[\s\S]|[^\\,])+|\\$/g) ?? [];
  if (terms.length > MAX_TERMS) throw tooManyTerms('fieldSelector');
  return terms.map((term) => {
    const equals = term.indexOf('=');
    if (equals < 0) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    const isNot = term[equals - 1] === '!';
    const path = term.slice(0, isNot ? equals - 1 : equals);
    const value = term.slice(term[equals + 1] === '=' && !isNot ? equals + 2 : equals + 1);
    return { path, operator: isNot ? '!=' : '=', value: unescapeFieldValue(value) };
  });
}

function unescapeFieldValue(text: string): string {
  let value = '';
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (character === '=') {
      throw badRequest(`invalid field selector: unescaped character in value: ${character.charCodeAt(0)}`);
    }
    if (character !== '\\') {
      value += character;
      continue;
    }
    const escaped = text.charAt(++i);
    if (!['\\', ',', '='].includes(escaped) || escaped === '') {
      throw badRequest(`invalid field selector: invalid escape sequence: \\${escaped}`);
    }
    value += escaped;
  }
  return value;
}
