import type { InputOwner } from "../grpc/message-input.ts";
import { HeaderBlockBuilder } from "../hpack/encoder.ts";
import { ErrorCode } from "../http2/frame.ts";
import type { SendSide } from "../http2/send-side.ts";
import { Http2Stream } from "../http2/stream.ts";

/** What a request of plain HTTP gets. */
export interface HttpRejection {
  readonly httpStatus: keyof typeof blocks;
  /** An answer to HEAD has none (RFC 9110 9.3.2). */
  readonly hasBody: boolean;
}

/** What an answer needs of its connection. */
export interface HttpAnswerConnection extends InputOwner {
  readonly send: SendSide;
  reset(stream: HttpAnswer, code: ErrorCode): void;
}

const nothing = new Uint8Array(0);
const body = new TextEncoder().encode("gRPC is spoken here: POST with content-type application/grpc.\n");
const blocks = {
  405: block("405").field("allow", "POST").build(),
  415: block("415").build(),
} as const;

function block(httpStatus: string): HeaderBlockBuilder {
  const builder = new HeaderBlockBuilder().field(":status", httpStatus);
  return builder.field("content-type", "text/plain").field("content-length", String(body.length));
}

/**
 * A request that is HTTP but not gRPC, as one of a browser or of curl. It is read to its end, if it is not longer than a message may be, so
 * that its faults are found as those of a call, and then told what is spoken here. What it says is dropped.
 */
export class HttpAnswer extends Http2Stream {
  begunMs = 0;
  readonly #connection: HttpAnswerConnection;
  readonly #rejection: HttpRejection;
  #receivedBytes = 0;
  #isAnswered = false;

  constructor(connection: HttpAnswerConnection, id: number, rejection: HttpRejection) {
    super();
    this.id = id;
    this.#connection = connection;
    this.#rejection = rejection;
    this.openInput(connection);
  }

  /** The rest of the request is waited for, like that of a unary call. */
  get isIncomplete(): boolean {
    return !this.remoteEnded;
  }

  requestOverdue(): void {
    this.#connection.reset(this, ErrorCode.CANCEL);
  }

  shutDown(): void {
    // Ends with its connection.
  }

  override receiveData(_bytes: Uint8Array, start: number, end: number, last: boolean): void {
    const { messageBytesMax, streamWindowBytes } = this.#connection;
    this.#receivedBytes += end - start;
    if (last) return;
    if (this.#receivedBytes > messageBytesMax) return this.#answer();
    const used = streamWindowBytes - this.receiveWindow;
    if (used * 2 < streamWindowBytes) return;
    this.receiveWindow += used;
    this.#connection.grantStream(this.id, used);
  }

  override receiveEnd(): void {
    this.#answer();
  }

  override deadlinePassed(): void {
    // It has none.
  }

  override sendDrained(): void {
    // Everything was sent at once.
  }

  override aborted(): void {
    // Nobody is to be told.
  }

  protected override messageReceived(): void {
    // DATA is not read.
  }

  protected override inputEnded(): void {
    // The end is told by `receiveEnd`.
  }

  protected override inputFailed(): void {
    // DATA is not read.
  }

  #answer(): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    const { send } = this.#connection;
    const { httpStatus, hasBody } = this.#rejection;
    send.headers(this.id, blocks[httpStatus], 0);
    if (hasBody) this.enqueue(body, nothing);
    send.end(this, null);
    send.adopt(this);
  }
}
