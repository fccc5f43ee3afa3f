// How many requests are served at once. Those beyond the limit are told to come again; watches are not counted.
import { tooManyRequests } from '../../api/errors.ts';
import type { Verb } from '../../api/resource.ts';

/** As upstream's --max-requests-inflight and --max-mutating-requests-inflight. */
const MAX_READS = 400;
const MAX_WRITES = 200;
const RETRY_AFTER_SECONDS = 1;

export class InFlight {
  #reads = 0;
  #writes = 0;

  /** Counts a request in; the result counts it out again. Throws TooManyRequests. */
  enter(verb: Verb): () => void {
    const reads = verb === 'get' || verb === 'list';
    if (reads ? this.#reads >= MAX_READS : this.#writes >= MAX_WRITES) {
      throw tooManyRequests('Too many requests, please try again later.', RETRY_AFTER_SECONDS);
    }
    if (reads) this.#reads++;
    else this.#writes++;
    return () => {
      if (reads) this.#reads--;
      else this.#writes--;
    };
  }
}
