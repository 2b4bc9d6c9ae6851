import { setTimeout as pause } from "node:timers/promises";
import { Channel } from "../../client/channel.ts";
import { echoPath } from "../../conformance/attacks/frame-floods.ts";
import { SystemClock } from "../../node/system-clock.ts";
import { connectTcp } from "../../node/tcp.ts";

const connectTimeoutMs = 5_000;
const callTimeoutMs = 5_000;
/** A call on each channel this often: a steady load that leaves the server time. */
const callIntervalMs = 1;

export interface Latencies {
  readonly calls: number;
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Clients that behave well, and see how long their calls take. */
export class Bystander {
  readonly #channels: readonly Channel[];

  constructor(port: number, channels: number) {
    const clock = new SystemClock();
    const address = { host: "127.0.0.1", port };
    this.#channels = Array.from(
      { length: channels },
      () => new Channel({ connect: () => connectTcp(address, connectTimeoutMs), authority: "test", clock }),
    );
  }

  /** Calls for `durationMs`. */
  async measure(durationMs: number): Promise<Latencies> {
    const tookMs: number[] = [];
    let failures = 0;
    const endMs = performance.now() + durationMs;
    const body = new Uint8Array(256);
    const load = async (channel: Channel): Promise<void> => {
      while (performance.now() < endMs) {
        const beganMs = performance.now();
        try {
          await channel.unary(echoPath, body, { timeoutMs: callTimeoutMs });
        } catch {
          failures++;
        }
        tookMs.push(performance.now() - beganMs);
        await pause(callIntervalMs);
      }
    };
    await Promise.all(this.#channels.map(load));
    tookMs.sort((a, b) => a - b);
    return { calls: tookMs.length, failures, p50Ms: quantile(tookMs, 0.5), p99Ms: quantile(tookMs, 0.99) };
  }

  async close(): Promise<void> {
    await Promise.all(this.#channels.map((channel) => channel.close()));
  }
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
