// When the client of an exchange is gone, as a signal that is only made for those who ask: most requests are answered
// before anybody would.
import type { Writable } from 'node:stream';

/** What an answer is written to, as far as its end is concerned. */
type Answer = Pick<Writable, 'closed' | 'destroyed' | 'once'>;

export class GoneSignal {
  readonly #answer: Answer;
  readonly #closing: AbortSignal;
  #signal: AbortSignal | undefined;

  /** @param closing is aborted when the server closes. */
  constructor(answer: Answer, closing: AbortSignal) {
    this.#answer = answer;
    this.#closing = closing;
  }

  /** Aborted when the answer is closed, whoever closed it, or the server closes. */
  get signal(): AbortSignal {
    if (!this.#signal) {
      const gone = new AbortController();
      if (this.#answer.closed || this.#answer.destroyed) gone.abort();
      else this.#answer.once('close', () => gone.abort());
      this.#signal = AbortSignal.any([gone.signal, this.#closing]);
    }
    return this.#signal;
  }
}
