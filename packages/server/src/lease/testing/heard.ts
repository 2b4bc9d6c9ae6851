import type { LeaseAnswer } from "../lease-answer.ts";

/** How a question was answered, to be read at any time. */
export class Heard<Value> implements LeaseAnswer<Value> {
  said: Value | "waits" | "not-primary" | "failed" = "waits";

  succeed(value: Value): void {
    this.said = value;
  }

  notPrimary(): void {
    this.said = "not-primary";
  }

  fail(): void {
    this.said = "failed";
  }
}
