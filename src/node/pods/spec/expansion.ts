// `$(NAME)` in commands, arguments and values of environment variables (kubernetes third_party/forked/golang/
// expansion): known names are replaced, unknown ones stay as written, `$$` is a dollar sign. Pure.

/**
 * The same where nothing may be missing: a name that is unknown, or whose value is empty, is an error.
 * @throws Error naming those names, in upstream's words.
 */
export function expandAll(text: string, lookup: (name: string) => string | undefined): string {
  const missing = new Set<string>();
  const expanded = expand(text, (name) => {
    const value = lookup(name);
    if (!value) missing.add(name);
    return value;
  });
  if (missing.size > 0) throw new Error(`missing value for ${[...missing].sort().join(', ')}`);
  return expanded;
}

/** Replaces every reference that `lookup` knows. */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  let result = '';
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0 || dollar === text.length - 1) break;
    result += text.slice(at, dollar);
    const next = text[dollar + 1];
    const close = next === '(' ? text.indexOf(')', dollar + 2) : -1;
    if (next === '$') {
      result += '$';
      at = dollar + 2;
    } else if (close >= 0) {
      const name = text.slice(dollar + 2, close);
      result += lookup(name) ?? `$(${name})`;
      at = close + 1;
    } else {
      result += next === '(' ? '$(' : `$${next}`;
      at = dollar + 2;
    }
  }
  return result + text.slice(at);
}
