// An error whose message is for the person at the terminal: one sentence that says what was wrong and what to do.
// The CLI prints it as it is; everything else is a defect and is printed with its stack.

export class UserError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UserError';
  }
}
