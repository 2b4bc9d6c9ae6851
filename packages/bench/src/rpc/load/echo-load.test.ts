import { expect, test } from "vitest";
import type { EchoClient, SendMessage } from "../peers/echo-client.ts";
import { runEchoLoad } from "./echo-load.ts";

/** Answers in the next turn; counts what is on its way at once. */
class EchoInMemory implements EchoClient {
  inFlightMax = 0;
  answered = 0;
  #inFlight = 0;
  readonly #failsAt: number;

  constructor(failsAt = Number.POSITIVE_INFINITY) {
    this.#failsAt = failsAt;
  }

  unary(): SendMessage {
    return (done) => {
      this.inFlightMax = Math.max(this.inFlightMax, ++this.#inFlight);
      setImmediate(() => {
        this.#inFlight--;
        done(++this.answered === this.#failsAt ? "lost" : null);
      });
    };
  }

  stream(): SendMessage {
    return this.unary();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const shape = { port: 0, kind: "unary", connections: 2, inFlight: 3, warmUpMs: 5, durationMs: 20 } as const;

test("each connection has as many messages on their way as the load says, until the time is over", async () => {
  const clients = [new EchoInMemory(), new EchoInMemory()];
  const { answers, ratePerSecond, latency, failure } = await runEchoLoad(clients, shape);
  expect(clients.map(({ inFlightMax }) => inFlightMax)).toEqual([3, 3]);
  expect(failure).toBe(null);
  expect(answers).toBeGreaterThan(0);
  // What came while the code was getting warm does not count.
  expect(answers).toBeLessThan(clients.reduce((sum, client) => sum + client.answered, 0));
  expect(ratePerSecond).toBe(answers * 50);
  expect(latency.p99Ms).toBeGreaterThanOrEqual(latency.p50Ms);
});

test("a failure ends the run and is told", async () => {
  const { failure } = await runEchoLoad([new EchoInMemory(), new EchoInMemory(10)], { ...shape, durationMs: 60_000 });
  expect(failure).toBe("lost");
});
