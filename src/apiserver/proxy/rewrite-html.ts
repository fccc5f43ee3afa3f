// A page that comes through the proxy links to itself by absolute paths; with the proxy's prefix before them, a browser
// finds its way back (apimachinery pkg/util/proxy/transport.go, rewriteHTML). Works on the page as it streams by: only
// a tag that is not complete yet is held back.
import { Transform, type TransformCallback } from 'node:stream';

/** The attributes of elements that hold a URL. */
const URL_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'usemap', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
};

/** Elements whose content is no markup: whatever looks like a tag in them is none. */
const RAW_TEXT = new Set(['script', 'style', 'textarea', 'title', 'xmp', 'noembed', 'noframes', 'iframe']);

/** Where text ends that is no markup. */
interface End {
  pattern: RegExp;
  /** How much of it may have come when the rest has not. */
  longest: number;
}

const COMMENT_END: End = { pattern: /--!?>/, longest: 4 };

/** What is longer is passed on as it is. */
const MAX_TAG_BYTES = 64 * 1024;

/** Rewrites the URLs of a page in whatever encoding its markup is ASCII. */
export class HtmlRewriter extends Transform {
  readonly #rewrite: (url: string) => string;
  /** What has come and cannot be told yet; one character is one byte. */
  #pending = '';
  /** Of the element or comment that we are in. */
  #until: End | undefined;

  /** @param rewrite gives the URL to put in a URL's place. */
  constructor(rewrite: (url: string) => string) {
    super();
    this.#rewrite = rewrite;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#pending += chunk.toString('latin1');
    this.#emit(this.#settled());
    done();
  }

  override _flush(done: TransformCallback): void {
    this.#emit(this.#pending);
    done();
  }

  #emit(text: string): void {
    if (text !== '') this.push(Buffer.from(text, 'latin1'));
  }

  /** Takes from what is pending all that can be told. */
  #settled(): string {
    let out = '';
    for (;;) {
      if (this.#until !== undefined) {
        const end = this.#pending.search(this.#until.pattern);
        // What ends it may be cut in two.
        const length = end < 0 ? Math.max(0, this.#pending.length - this.#until.longest) : end;
        out += this.#take(length);
        if (end < 0) return out;
        this.#until = undefined;
        out += this.#take(1);
        continue;
      }
      const start = this.#pending.indexOf('<');
      out += this.#take(start < 0 ? this.#pending.length : start);
      if (start < 0) return out;
      if (this.#pending.length < 4) return out;
      if (this.#pending.startsWith('<!--')) {
        // `<!-->` and `<!--->` are over as soon as they begin.
        const whole = /^<!---?>/.exec(this.#pending)?.[0];
        if (whole === undefined && this.#pending.length < 6) return out;
        out += this.#take(whole?.length ?? 4);
        if (whole === undefined) this.#until = COMMENT_END;
        continue;
      }
      if (!/^<[a-z]/i.test(this.#pending)) {
        out += this.#take(1);
        continue;
      }
      const end = endOfTag(this.#pending);
      if (end < 0) return this.#pending.length > MAX_TAG_BYTES ? out + this.#take(this.#pending.length) : out;
      const tag = this.#take(end + 1);
      const name = /^<([^\s/>]+)/.exec(tag)?.[1]?.toLowerCase() ?? '';
      if (RAW_TEXT.has(name) && !tag.endsWith('/>')) {
        this.#until = { pattern: new RegExp(`</${name}`, 'i'), longest: name.length + 2 };
      }
      out += this.#rewriteTag(tag, URL_ATTRIBUTES[name] ?? []);
    }
  }

  #take(length: number): string {
    const taken = this.#pending.slice(0, length);
    this.#pending = this.#pending.slice(length);
    return taken;
  }

  #rewriteTag(tag: string, attributes: readonly string[]): string {
    if (attributes.length === 0) return tag;
    const pattern = /(\s)([^\s=/>]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)/g;
    return tag.replace(pattern, (whole, space: string, name: string, equals: string, value: string) => {
      if (!attributes.includes(name.toLowerCase())) return whole;
      const quote = /^["']/.exec(value)?.[0] ?? '';
      const url = quote ? value.slice(1, -1) : value;
      return `${space}${name}${equals}${quote}${this.#rewrite(url)}${quote}`;
    });
  }
}

/** Where the tag that the text begins with ends; -1 when that is not there yet. */
function endOfTag(text: string): number {
  let quote = '';
  for (let index = 1; index < text.length; index++) {
    const character = text[index] ?? '';
    if (quote) {
      if (character === quote) quote = '';
    } else if (character === '>') return index;
    else if (
      (character === '"' || character === "'") &&
      /=\s*$/.test(text.slice(Math.max(0, index - 8), index))
    ) {
      quote = character;
    }
  }
  return -1;
}
