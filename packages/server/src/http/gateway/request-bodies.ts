import type { IncomingMessage } from "node:http";
import { StatusCode } from "@raftkv/raft-rpc";
import type { GatewayError } from "./gateway-error.ts";
import { GrowingBytes } from "./growing-bytes.ts";

/** Of all requests that are being received. */
const heldBytesMax = 64 * 1024 * 1024;

export interface BodyReader {
  onText(text: string): void;
  /** The rest of the body is passed over. */
  onRefused(error: GatewayError): void;
}

/** Reads requests as a whole, each up to a limit and all together up to another. */
export class RequestBodies {
  readonly #bytesMax: number;
  #heldBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  read(request: IncomingMessage, reader: BodyReader): void {
    let body: GrowingBytes | null = new GrowingBytes();
    const forget = (): void => {
      this.#heldBytes -= body?.length ?? 0;
      body = null;
    };
    request.on("data", (chunk: Uint8Array) => {
      if (body === null) return;
      const error = this.#refusal(body.length + chunk.length, chunk.length);
      if (error !== null) {
        forget();
        return reader.onRefused(error);
      }
      this.#heldBytes += chunk.length;
      body.append(chunk);
    });
    request.once("end", () => {
      if (body === null) return;
      this.#heldBytes -= body.length;
      const text = body.takeText();
      body = null;
      reader.onText(text);
    });
    request.once("close", forget);
  }

  #refusal(bodyBytes: number, chunkBytes: number): GatewayError | null {
    if (bodyBytes > this.#bytesMax) return tooMuch(`raftkv: the request is larger than ${this.#bytesMax} bytes`);
    if (this.#heldBytes + chunkBytes > heldBytesMax) return tooMuch("raftkv: too many requests are being received, try again");
    return null;
  }
}

function tooMuch(message: string): GatewayError {
  return { code: StatusCode.RESOURCE_EXHAUSTED, message };
}
