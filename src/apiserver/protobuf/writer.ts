// Writes protobuf's wire format from the end to the beginning: what a message holds is written before its length,
// which is then known. Nothing here knows what the fields mean.

const START_SIZE = 4096;

export class ProtobufWriter {
  #buffer = Buffer.allocUnsafe(START_SIZE);
  /** Where what is written so far begins. */
  #at = START_SIZE;

  /** How much is written so far, in bytes. */
  get length(): number {
    return this.#buffer.length - this.#at;
  }

  /** A copy of what is written; the writer begins anew. */
  finish(): Buffer {
    const written = Buffer.from(this.#buffer.subarray(this.#at));
    this.#at = this.#buffer.length;
    return written;
  }

  #room(size: number): void {
    if (this.#at >= size) return;
    const { length } = this;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, length + size));
    this.#buffer.copy(grown, grown.length - length, this.#at);
    this.#at = grown.length - length;
    this.#buffer = grown;
  }

  /** A number that is not negative. */
  varint(value: number): void {
    let size = 1;
    for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size++;
    this.#room(size);
    this.#at -= size;
    let rest = value;
    for (let at = this.#at; ; at++) {
      if (rest <= 127) {
        this.#buffer[at] = rest;
        return;
      }
      this.#buffer[at] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
  }

  /** An int32 or int64: a negative one takes ten bytes. */
  integer(value: number): void {
    if (value >= 0) {
      this.varint(value);
      return;
    }
    this.#room(10);
    this.#at -= 10;
    let rest = BigInt.asUintN(64, BigInt(value));
    for (let at = this.#at; ; at++) {
      const byte = Number(rest & 127n);
      rest >>= 7n;
      this.#buffer[at] = rest === 0n ? byte : byte | 128;
      if (rest === 0n) return;
    }
  }

  /** A 64-bit floating-point number. */
  double(value: number): void {
    this.#room(8);
    this.#at -= 8;
    this.#buffer.writeDoubleLE(value, this.#at);
  }

  string(text: string): void {
    const size = Buffer.byteLength(text);
    this.#room(size);
    this.#at -= size;
    this.#buffer.write(text, this.#at);
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#at -= bytes.length;
    this.#buffer.set(bytes, this.#at);
  }

  /** The number and wire type of a field whose value is written. */
  tag(field: number, wireType: 0 | 1 | 2): void {
    this.varint(field * 8 + wireType);
  }

  /** Ends (that is: begins) a field with a length, whose value is what was written since `before`. */
  delimit(field: number, before: number): void {
    this.varint(this.length - before);
    this.tag(field, 2);
  }
}
