import type { CompressionJob, Compressor, Inflated } from "../grpc/compressor.ts";
import type { RpcClock } from "../rpc-clock.ts";

export interface RunCompressorOptions {
  readonly clock: RpcClock;
  /** How long a message takes, which may differ. Default: 0, a later turn. */
  readonly delayMs?: (message: Uint8Array) => number;
}

/** Compresses messages of one repeated octet to that octet and a length of three; others cannot be compressed. */
export class RunCompressor implements Compressor {
  readonly encoding = "run";
  /** Jobs that are under way now, and at the most. */
  running = 0;
  runningMax = 0;
  readonly #options: RunCompressorOptions;

  constructor(options: RunCompressorOptions) {
    this.#options = options;
  }

  /** What `compress` makes of so many octets. */
  static run(octet: number, byteCount: number): Uint8Array {
    return Uint8Array.of(octet, byteCount >>> 16, byteCount >>> 8, byteCount);
  }

  compress(message: Uint8Array, done: (compressed: Uint8Array | null) => void): CompressionJob {
    const [first = 0] = message;
    const isRun = message.every((octet) => octet === first);
    return this.#later(message, () => done(isRun ? RunCompressor.run(first, message.length) : null));
  }

  inflate(compressed: Uint8Array, bytesMax: number, done: (result: Inflated) => void): CompressionJob {
    const [octet = 0, high = 0, middle = 0, low = 0] = compressed;
    const byteCount = (high << 16) | (middle << 8) | low;
    return this.#later(compressed, () => {
      if (compressed.length !== 4) done({ kind: "broken", reason: `${compressed.length} bytes are no run` });
      else if (byteCount > bytesMax) done({ kind: "tooLarge" });
      else done({ kind: "message", message: new Uint8Array(byteCount).fill(octet) });
    });
  }

  #later(message: Uint8Array, work: () => void): CompressionJob {
    this.running++;
    this.runningMax = Math.max(this.runningMax, this.running);
    const timer = this.#options.clock.setTimer(this.#options.delayMs?.(message) ?? 0, () => {
      this.running--;
      work();
    });
    return {
      cancel: () => {
        timer.cancel();
        this.running--;
      },
    };
  }
}
