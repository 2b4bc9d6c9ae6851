import type { Completion, NodeError } from "./node-error.ts";

/**
 * Tells callers how their operations ended. What a caller throws is its own affair: the member goes on, because what is committed is
 * applied whoever was told, and the others are told all the same.
 */
export class CompletionGuard {
  private readonly onError: (error: unknown) => void;

  /** `onError` gets what a completion threw. */
  constructor(onError: (error: unknown) => void) {
    this.onError = onError;
  }

  succeed<Value>(completion: Completion<Value>, value: Value): void {
    try {
      completion.succeed(value);
    } catch (error) {
      this.onError(error);
    }
  }

  fail(completion: Completion<never>, error: NodeError): void {
    try {
      completion.fail(error);
    } catch (thrown) {
      this.onError(thrown);
    }
  }
}
