import { statusCodeCount } from "../grpc/status.ts";

/** What the calls of one method came to, as plain fields that only grow and are read when somebody asks. Compressed bytes count as inflated. */
export class MethodCounters {
  /** Calls that had a handler, whether it was reached or not. */
  started = 0;
  /** Calls that have their status, by its code. */
  readonly handled: number[] = new Array<number>(statusCodeCount).fill(0);
  messagesReceived = 0;
  bytesReceived = 0;
  messagesSent = 0;
  bytesSent = 0;

  received(byteCount: number): void {
    this.messagesReceived++;
    this.bytesReceived += byteCount;
  }

  sent(byteCount: number): void {
    this.messagesSent++;
    this.bytesSent += byteCount;
  }

  ended(code: number): void {
    this.handled[code] = (this.handled[code] ?? 0) + 1;
  }
}
