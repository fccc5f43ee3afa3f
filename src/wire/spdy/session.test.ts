import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { deflateSync } from 'node:zlib';
import { DICTIONARY } from './dictionary.ts';
import { SpdySession, type SpdyStream } from './session.ts';

/** Two ends of a byte stream that cuts what is written into pieces of a few bytes. */
function pipe(pieceBytes: number): [Duplex, Duplex] {
  const end = (other: () => Duplex): Duplex =>
    new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        for (let at = 0; at < chunk.length; at += pieceBytes)
          other().push(chunk.subarray(at, at + pieceBytes));
        done();
      },
      final(done) {
        other().push(null);
        done();
      },
    });
  const left: Duplex = end(() => right);
  const right: Duplex = end(() => left);
  return [left, right];
}

/** All that is read from a stream; unlike an iterator it leaves the writing side open. */
function text(stream: SpdyStream): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('end', () => resolve(Buffer.concat(chunks).toString()));
    stream.once('error', reject);
  });
}

describe('SPDY/3.1', () => {
  it('has the dictionary of the protocol', () => {
    // The first bytes that every SPDY/3 peer sends: zlib header, then the checksum of the dictionary.
    const first = deflateSync(Buffer.from('x'), { dictionary: DICTIONARY }).subarray(0, 6);
    assert.equal(first.toString('hex'), '78bbe3c6a7c2');
  });

  for (const pieceBytes of [1, 7, 65536]) {
    it(`carries streams both ways with half-close, in pieces of ${pieceBytes} bytes`, async () => {
      const [left, right] = pipe(pieceBytes);
      const echoed: string[] = [];
      const server = new SpdySession(right, 'server', {
        onStream(stream: SpdyStream) {
          echoed.push(stream.headers.streamtype ?? '');
          void text(stream).then((all) => stream.end(all.toUpperCase()));
        },
        onClose() {},
      });
      const client = new SpdySession(left, 'client', { onStream() {}, onClose() {} });
      const streams = await Promise.all(
        ['stdin', 'stdout', 'resize'].map((streamtype) =>
          client.openStream({ streamType: streamtype, port: '80' }),
        ),
      );
      const answers = streams.map((stream) => text(stream));
      for (const [index, stream] of streams.entries()) stream.end(`hello ${index} ${'x'.repeat(3000)}`);
      assert.deepEqual(
        await Promise.all(answers),
        [0, 1, 2].map((index) => `HELLO ${index} ${'X'.repeat(3000)}`),
      );
      assert.deepEqual(echoed, ['stdin', 'stdout', 'resize']);
      client.close();
      server.close();
    });
  }

  it('hands over what came before the connection broke', async () => {
    const [left, right] = pipe(65536);
    const whole = 'x'.repeat(100_000);
    new SpdySession(right, 'server', {
      onStream(stream) {
        stream.end(whole, () => left.destroy(new Error('reset')));
      },
      onClose() {},
    });
    const broken = new Promise<Error | undefined>((resolve) => {
      const client = new SpdySession(left, 'client', { onStream() {}, onClose: resolve });
      client
        .openStream({ streamtype: 'data' })
        .then(text)
        .then((all) => assert.equal(all, whole))
        .catch((error: Error) => resolve(error));
    });
    assert.equal((await broken)?.message, 'reset');
  });

  it('ends its streams when the connection ends', async () => {
    const [left, right] = pipe(65536);
    const closed = new Promise<void>((resolve) => {
      new SpdySession(right, 'server', { onStream() {}, onClose: () => resolve() });
    });
    const client = new SpdySession(left, 'client', { onStream() {}, onClose() {} });
    const stream = await client.openStream({ streamtype: 'data' });
    const ended = new Promise<void>((resolve) => stream.once('close', resolve));
    left.destroy();
    right.destroy();
    await Promise.all([ended, closed]);
  });
});
