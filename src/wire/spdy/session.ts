// A SPDY/3.1 connection as Kubernetes uses it for exec, attach and port-forward: many streams over one byte stream,
// opened by either side. Like its peers (moby/spdystream) it does no flow control per stream: a reader that stops
// stops the connection.
import { Duplex } from 'node:stream';
import { controlFrame, dataFrame, FLAG_FIN, FRAME, type Frame, FrameReader } from './frames.ts';
import { type Headers, headerReader, headerWriter } from './headers.ts';

/** Streams open at once on one connection. */
const MAX_STREAMS = 1_000;
const RST_REFUSED = 3;
const RST_CANCEL = 5;
/** Data of a stream that waits for its reader, in bytes, before the connection is held up. */
const READ_AHEAD_BYTES = 1024 * 1024;

/** One stream: what is written goes to the peer, ending it half-closes. */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: Headers;
  readonly #send: (frame: Buffer) => Promise<void>;
  #readable: (() => void) | undefined;
  #peerEnded = false;

  constructor(id: number, headers: Headers, send: (frame: Buffer) => Promise<void>) {
    super({ allowHalfOpen: true, readableHighWaterMark: READ_AHEAD_BYTES });
    this.id = id;
    this.headers = headers;
    this.#send = send;
    // Nobody will read on: whatever waits for that need not.
    this.once('close', () => this.#readable?.());
  }

  /** Hands data from the peer to the reader; resolves when more may come. */
  deliver(payload: Buffer): Promise<void> | undefined {
    if (this.destroyed || this.readableEnded || this.push(payload)) return undefined;
    return new Promise((resolve) => {
      this.#readable = resolve;
    });
  }

  /** The peer sends no more on this stream. */
  finishReading(): void {
    if (!this.#peerEnded) this.push(null);
    this.#peerEnded = true;
  }

  /** The connection is gone: what has come may still be read, and nothing else happens. */
  connectionEnded(): void {
    this.finishReading();
    if (this.readableEnded) return void this.destroy();
    this.once('end', () => this.destroy());
    // Nobody reads: nothing would ever end it.
    if (this.readableFlowing === null) this.resume();
  }

  override _read(): void {
    this.#readable?.();
    this.#readable = undefined;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send(dataFrame(this.id, chunk, false)).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#send(dataFrame(this.id, Buffer.alloc(0), true)).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const whole = this.readableEnded && this.writableFinished;
    if (!whole) this.#send(controlFrame(FRAME.rstStream, 0, this.id, RST_CANCEL)).catch(() => {});
    done(error);
  }
}

/**
 * Everything that came, and only then the error that ended it: a stream's own iterator forgets what is buffered when
 * the connection breaks.
 */
async function* allChunks(socket: Duplex): AsyncGenerator<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let ended = false;
  let failure: Error | undefined;
  let wake: () => void = () => {};
  const end = (): void => {
    ended = true;
    wake();
  };
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= READ_AHEAD_BYTES) socket.pause();
    wake();
  });
  socket.once('error', (error) => {
    failure = error;
    end();
  });
  socket.once('end', end);
  socket.once('close', end);
  for (;;) {
    const chunk = chunks.shift();
    if (chunk) {
      bytes -= chunk.length;
      yield chunk;
      if (bytes < READ_AHEAD_BYTES) socket.resume();
    } else if (ended) {
      if (failure) throw failure;
      return;
    } else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
}

export interface SpdySessionEvents {
  /** The peer opened a stream. */
  onStream(stream: SpdyStream): void;
  /** The connection has ended; `error` if not in order. */
  onClose(error?: Error): void;
}

export class SpdySession {
  readonly #socket: Duplex;
  readonly #events: SpdySessionEvents;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #writeHeaders = headerWriter();
  readonly #readHeaders = headerReader();
  #nextId: number;
  #opening: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** @param role who opened the connection: clients' streams have odd ids. */
  constructor(socket: Duplex, role: 'client' | 'server', events: SpdySessionEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#nextId = role === 'client' ? 1 : 2;
    // What breaks the connection ends the reading below, which comes after all frames that did arrive.
    socket.on('error', () => {});
    this.#run().then(
      () => this.#end(),
      (error: Error) => this.#end(error),
    );
  }

  /** Opens a stream; what is written to it goes out behind the headers. */
  openStream(headers: Headers): Promise<SpdyStream> {
    const opened = this.#opening.then(async () => {
      const id = this.#nextId;
      this.#nextId += 2;
      const stream = this.#add(id, headers);
      const block = await this.#writeHeaders(headers);
      await this.#send(controlFrame(FRAME.synStream, 0, id, 0, Buffer.from([0, 0]), block));
      return stream;
    });
    this.#opening = opened.catch(() => {});
    return opened;
  }

  /** Ends the connection; what was written before still goes out. */
  close(): void {
    if (this.#closed) return;
    this.#socket.write(controlFrame(FRAME.goAway, 0, 0, 0));
    this.#socket.end(() => this.#socket.destroy());
    this.#forget();
  }

  async #run(): Promise<void> {
    const reader = new FrameReader();
    for await (const chunk of allChunks(this.#socket)) {
      reader.push(chunk);
      for (let frame = reader.next(); frame; frame = reader.next()) await this.#handle(frame);
    }
  }

  async #handle(frame: Frame): Promise<void> {
    if (frame.kind === 'data') {
      const stream = this.#streams.get(frame.streamId);
      if (!stream) return;
      if (frame.payload.length > 0) await stream.deliver(Buffer.from(frame.payload));
      if (frame.flags & FLAG_FIN) stream.finishReading();
      return;
    }
    const { payload, type, flags } = frame;
    switch (type) {
      case FRAME.synStream: {
        const id = payload.readUInt32BE(0) & 0x7fffffff;
        const headers = await this.#readHeaders(payload.subarray(10));
        if (this.#streams.size >= MAX_STREAMS || this.#streams.has(id)) {
          return this.#send(controlFrame(FRAME.rstStream, 0, id, RST_REFUSED));
        }
        const stream = this.#add(id, headers);
        // The reply's headers come out of the same compression context as those of streams that we open.
        const replied = this.#opening.then(async () => {
          await this.#send(controlFrame(FRAME.synReply, 0, id, await this.#writeHeaders({})));
        });
        this.#opening = replied.catch(() => {});
        await replied;
        if (flags & FLAG_FIN) stream.finishReading();
        this.#events.onStream(stream);
        return;
      }
      case FRAME.synReply:
      case FRAME.headers: {
        // Read even if nobody asks: the compression context must not fall behind.
        await this.#readHeaders(payload.subarray(4));
        if (flags & FLAG_FIN) this.#streams.get(payload.readUInt32BE(0) & 0x7fffffff)?.finishReading();
        return;
      }
      case FRAME.rstStream: {
        const stream = this.#streams.get(payload.readUInt32BE(0) & 0x7fffffff);
        if (stream) this.#drop(stream);
        return;
      }
      case FRAME.ping:
        return this.#send(controlFrame(FRAME.ping, 0, payload.readUInt32BE(0)));
      default:
        // SETTINGS, WINDOW_UPDATE and GOAWAY ask nothing of us: streams under way may end.
        return;
    }
  }

  #add(id: number, headers: Headers): SpdyStream {
    const stream = new SpdyStream(id, headers, (frame) => this.#send(frame));
    stream.on('error', () => {});
    stream.once('close', () => this.#streams.delete(id));
    this.#streams.set(id, stream);
    return stream;
  }

  /** The peer wants no more of this stream. */
  #drop(stream: SpdyStream): void {
    this.#streams.delete(stream.id);
    stream.connectionEnded();
  }

  #send(frame: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error('the connection is closed'));
      this.#socket.write(frame, (error) => (error ? reject(error) : resolve()));
    });
  }

  #end(error?: Error): void {
    if (this.#closed) return;
    this.#socket.destroy();
    this.#forget(error);
  }

  #forget(error?: Error): void {
    this.#closed = true;
    for (const stream of this.#streams.values()) stream.connectionEnded();
    this.#streams.clear();
    this.#events.onClose(error);
  }
}
