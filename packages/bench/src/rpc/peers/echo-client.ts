/** Sends one message, and calls `done` when its echo is there, or with a sentence. One at a time. */
export type SendMessage = (done: (failure: string | null) => void) => void;

/** One connection of an implementation under test. */
export interface EchoClient {
  /** A unary call for each message. */
  unary(): SendMessage;
  /** One streaming call for all messages. */
  stream(): SendMessage;
  close(): Promise<void>;
}

export type OpenEchoClient = (port: number) => EchoClient;
