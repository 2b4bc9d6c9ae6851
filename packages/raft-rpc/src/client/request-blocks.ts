import type { Metadata } from "../grpc/metadata.ts";
import { formatTimeout } from "../grpc/timeout.ts";
import { HeaderBlockBuilder } from "../hpack/encoder.ts";

const userAgent = "grpc-node-raftkv/1.0.0";
/** Paths and timeouts are few in one program; if they are not, the cache begins anew. */
const cachedBlocksMax = 1024;

/** Header blocks of requests: equal calls have equal blocks, built once. */
export class RequestBlocks {
  readonly #authority: string;
  readonly #scheme: "http" | "https";
  readonly #blocks = new Map<string, Map<string, Uint8Array>>();
  #count = 0;

  constructor(options: { readonly authority: string; readonly scheme: "http" | "https" }) {
    this.#authority = options.authority;
    this.#scheme = options.scheme;
  }

  /** The block of a call; `timeoutMs` is Infinity for none. Fields in the order of PROTOCOL-HTTP2. */
  block(path: string, timeoutMs: number, metadata: Metadata | null): Uint8Array {
    const timeout = timeoutMs === Number.POSITIVE_INFINITY ? "" : formatTimeout(timeoutMs);
    if (metadata !== null && metadata.size > 0) return this.#build(path, timeout, metadata);
    let byTimeout = this.#blocks.get(path);
    const known = byTimeout?.get(timeout);
    if (known !== undefined) return known;
    if (byTimeout === undefined || this.#count >= cachedBlocksMax) {
      if (this.#count >= cachedBlocksMax) this.#clear();
      byTimeout = new Map();
      this.#blocks.set(path, byTimeout);
    }
    const block = this.#build(path, timeout, null);
    byTimeout.set(timeout, block);
    this.#count++;
    return block;
  }

  #clear(): void {
    this.#blocks.clear();
    this.#count = 0;
  }

  #build(path: string, timeout: string, metadata: Metadata | null): Uint8Array {
    const block = new HeaderBlockBuilder()
      .field(":method", "POST")
      .field(":scheme", this.#scheme)
      .field(":path", path)
      .field(":authority", this.#authority);
    if (timeout !== "") block.field("grpc-timeout", timeout);
    block.field("te", "trailers").field("content-type", "application/grpc").field("user-agent", userAgent);
    metadata?.writeHeaders((name, value) => block.field(name, value));
    return block.build();
  }
}
