import type { Metadata } from "../grpc/metadata.ts";
import { formatTimeout } from "../grpc/timeout.ts";
import { HeaderBlockBuilder } from "../hpack/encoder.ts";

const userAgent = "grpc-node-raftkv/1.0.0";
/** Paths and timeouts are few in one program; if they are not, the cache begins anew. */
const cachedBlocksMax = 1024;

/** What of a call stands in its header block. */
export interface RequestFields {
  readonly path: string;
  readonly metadata: Metadata | null;
  /** Messages may have the compressed flag. */
  readonly isCompressed: boolean;
}

/** Header blocks of requests: equal calls have equal blocks, built once. */
export class RequestBlocks {
  readonly #authority: string;
  readonly #scheme: "http" | "https";
  readonly #encoding: string | null;
  readonly #blocks = new Map<string, Map<string, Uint8Array>>();
  #count = 0;

  /** `encoding`: in which answers are accepted, and requests may be sent; null for none. */
  constructor(options: { readonly authority: string; readonly scheme: "http" | "https"; readonly encoding: string | null }) {
    this.#authority = options.authority;
    this.#scheme = options.scheme;
    this.#encoding = options.encoding;
  }

  /** The block of a call; `timeoutMs` is Infinity for none. Fields in the order of PROTOCOL-HTTP2. */
  block({ path, metadata, isCompressed }: RequestFields, timeoutMs: number): Uint8Array {
    const timeout = timeoutMs === Number.POSITIVE_INFINITY ? "" : formatTimeout(timeoutMs);
    // Of the calls of a channel that compresses, those that don't are few.
    const isUnusual = (metadata !== null && metadata.size > 0) || isCompressed !== (this.#encoding !== null);
    if (isUnusual) return this.#build({ path, metadata, isCompressed }, timeout);
    let byTimeout = this.#blocks.get(path);
    const known = byTimeout?.get(timeout);
    if (known !== undefined) return known;
    if (byTimeout === undefined || this.#count >= cachedBlocksMax) {
      if (this.#count >= cachedBlocksMax) this.#clear();
      byTimeout = new Map();
      this.#blocks.set(path, byTimeout);
    }
    const block = this.#build({ path, metadata: null, isCompressed }, timeout);
    byTimeout.set(timeout, block);
    this.#count++;
    return block;
  }

  #clear(): void {
    this.#blocks.clear();
    this.#count = 0;
  }

  #build({ path, metadata, isCompressed }: RequestFields, timeout: string): Uint8Array {
    const block = new HeaderBlockBuilder()
      .field(":method", "POST")
      .field(":scheme", this.#scheme)
      .field(":path", path)
      .field(":authority", this.#authority);
    if (timeout !== "") block.field("grpc-timeout", timeout);
    block.field("te", "trailers").field("content-type", "application/grpc");
    if (this.#encoding !== null) {
      if (isCompressed) block.field("grpc-encoding", this.#encoding);
      block.field("grpc-accept-encoding", `identity,${this.#encoding}`);
    }
    block.field("user-agent", userAgent);
    metadata?.writeHeaders((name, value) => block.field(name, value));
    return block.build();
  }
}
