import type { Readable } from "node:stream";
import { StatusCode } from "@raftkv/raft-rpc";
import type { GatewayError } from "./gateway-error.ts";
import { GrowingBytes } from "./growing-bytes.ts";

export interface BodyLimits {
  /** Of one request. */
  readonly bytesMax: number;
  /** Of all requests that come or are being answered. */
  readonly heldBytesMax: number;
}

export interface BodyReader {
  /** `release` is called when nothing of the request is needed any more; it may be called twice. */
  onText(text: string, release: () => void): void;
  /** The rest of the body is passed over. */
  onRefused(error: GatewayError): void;
}

/** Reads requests as a whole, each up to a limit and all together up to another. */
export class RequestBodies {
  readonly #limits: BodyLimits;
  #heldBytes = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  read(request: Readable, reader: BodyReader): void {
    const body = new GrowingBytes();
    let state: "reading" | "handed on" | "released" = "reading";
    let heldBytes = 0;
    const release = (): void => {
      state = "released";
      this.#heldBytes -= heldBytes;
      heldBytes = 0;
    };
    request.on("data", (chunk: Uint8Array) => {
      if (state !== "reading") return;
      const error = this.#refusal(heldBytes + chunk.length, chunk.length);
      if (error !== null) {
        release();
        return reader.onRefused(error);
      }
      heldBytes += chunk.length;
      this.#heldBytes += chunk.length;
      body.append(chunk);
    });
    request.once("end", () => {
      if (state !== "reading") return;
      state = "handed on";
      reader.onText(body.takeText(), release);
    });
    request.once("close", () => {
      if (state === "reading") release();
    });
  }

  #refusal(bodyBytes: number, chunkBytes: number): GatewayError | null {
    const { bytesMax, heldBytesMax } = this.#limits;
    if (bodyBytes > bytesMax) return tooMuch(`raftkv: the request is larger than ${bytesMax} bytes`);
    if (this.#heldBytes + chunkBytes > heldBytesMax) return tooMuch("raftkv: too many requests are being received, try again");
    return null;
  }
}

function tooMuch(message: string): GatewayError {
  return { code: StatusCode.RESOURCE_EXHAUSTED, message };
}
