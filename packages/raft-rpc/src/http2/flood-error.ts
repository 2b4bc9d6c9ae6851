import { ConnectionError, ErrorCode } from "./frame.ts";

/** What a peer may do, but not without end (RFC 9113 10.5): each has a limit, and on a server a counter. */
export type FloodName =
  | "resetFlood"
  | "refusalFlood"
  | "settingsFlood"
  | "pingFlood"
  | "emptyDataFlood"
  | "priorityFlood"
  | "idleFrameFlood"
  | "paddingFlood"
  | "headerBlock"
  | "headerBlockTimeouts"
  | "headerList"
  | "unreadAnswers"
  | "stalls";

/** ENHANCE_YOUR_CALM: ends the connection. */
export class FloodError extends ConnectionError {
  readonly flood: FloodName;

  constructor(flood: FloodName, message: string) {
    super(ErrorCode.ENHANCE_YOUR_CALM, message);
    this.flood = flood;
  }
}
