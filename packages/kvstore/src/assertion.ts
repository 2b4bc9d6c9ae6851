/**
 * States what must hold. Stays on in production: a store whose structure is broken must stop, not answer.
 * @throws Error with `sentence`, a constant, so that nothing is built while the condition holds.
 */
export function assert(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Error(`Assertion failed: ${sentence}`);
}
