// Links of pages that come through the proxy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rewriteLocation } from './headers.ts';
import { HtmlRewriter } from './rewrite-html.ts';

const PREFIX = '/api/v1/namespaces/default/pods/web-0/proxy';

async function rewritten(page: string, pieces: readonly number[] = []): Promise<string> {
  const rewriter = new HtmlRewriter((url) => rewriteLocation(url, PREFIX, '10.0.0.2:80', 'localhost:8001'));
  const bytes = Buffer.from(page);
  let start = 0;
  for (const end of [...pieces].sort((a, b) => a - b).concat(bytes.length)) {
    rewriter.write(bytes.subarray(start, Math.min(end, bytes.length)));
    start = Math.max(start, Math.min(end, bytes.length));
  }
  rewriter.end();
  const chunks: Buffer[] = [];
  for await (const chunk of rewriter) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('absolute paths get the prefix, what is relative or elsewhere stays', async () => {
  assert.equal(
    await rewritten(
      `<!DOCTYPE html><A HREF="/a?b=1&amp;c">ä</a><img alt="x > y" src='/i.png'><form action=/go></form><a href="b"></a><a href="https://example.com/x"></a><a href=""></a><a href="#top"></a><a href="//example.com/x"></a><link rel=x href="http://10.0.0.2:80/style.css"/><p title="/no">`,
    ),
    `<!DOCTYPE html><A HREF="${PREFIX}/a?b=1&amp;c">ä</a><img alt="x > y" src='${PREFIX}/i.png'><form action=${PREFIX}/go></form><a href="b"></a><a href="https://example.com/x"></a><a href=""></a><a href="#top"></a><a href="//example.com/x"></a><link rel=x href="${PREFIX}/style.css"/><p title="/no">`,
  );
});

test('scripts and comments are no markup', async () => {
  const page = `<script src="/x.js">document.write('<a href="/no">')</script><!-- <a href="/no"> --><a href="/yes">`;
  const expected = page.replace('/x.js', `${PREFIX}/x.js`).replace('/yes', `${PREFIX}/yes`);
  assert.equal(await rewritten(page), expected);
});

test('a comment ends wherever a browser takes it to end', async () => {
  const comments = ['<!-->', '<!--->', '<!---->', '<!-- a --!>', '<!-- <!-- b -->'];
  for (const comment of comments) {
    const page = (prefix: string) => `${comment}<a href="${prefix}/x"><!-- <a href="/no"> -->`;
    assert.equal(await rewritten(page(''), [1, 3, 4, 5]), page(PREFIX), comment);
  }
  const open = '<!--!><a href="/x">';
  assert.equal(await rewritten(open), open);
});

test('wherever the page is cut, it comes out the same', async () => {
  const page = `<!-- c --><html><head><script>if (a < b) "<a href='/no'>"</script></head><a class="x" href="/a">é</a> < <b <img src="/i">`;
  const whole = await rewritten(page);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: page.length + 2 }), { maxLength: 8 }), async (pieces) => {
      assert.equal(await rewritten(page, pieces), whole);
    }),
    { numRuns: 200 },
  );
});

test('what holds no link is not changed by a byte', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.constantFrom('<', '>', '!', '-', '"', 'a', ' ', '=', '/', 'ß') }),
      async (page) => {
        assert.equal(await rewritten(page), page);
      },
    ),
    { numRuns: 200 },
  );
});

test('a tag without an end is passed on', async () => {
  const page = `<a href="${'x'.repeat(200_000)}`;
  assert.equal(await rewritten(page, [70_000]), page);
});
