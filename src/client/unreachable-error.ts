// The error of a request that has no answer: nobody listens, the connection broke, or one side does not trust the other.

/** The API cannot be reached; the message says where and why. */
export class UnreachableError extends Error {
  constructor(origin: string, cause: Error) {
    super(`cannot reach the API at ${origin}: ${cause.message}`, { cause });
    this.name = 'UnreachableError';
  }

  /** Whether nobody listens there: then nothing was sent. */
  get isRefused(): boolean {
    return this.cause instanceof Error && 'code' in this.cause && this.cause.code === 'ECONNREFUSED';
  }
}
