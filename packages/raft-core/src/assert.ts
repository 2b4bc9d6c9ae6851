/** States what must hold. Stays on in production; a failure stops this member before it can do harm. */
export function assert(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Error(`Assertion failed: ${sentence}`);
}

/** The end of a `switch` over a union. */
export function assertNever(value: never): never {
  throw new Error(`Assertion failed: Unexpected value ${JSON.stringify(value)}`);
}
