import fc from "fast-check";
import { expect, test } from "vitest";
import { type Act, StrictClient } from "./strict-client.ts";

const stream = fc.constantFrom(0, 0, 1, 3, 5, 7, 9);
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constant("request" as const), bytes: fc.integer({ min: 0, max: 100_000 }) }),
  fc.record({
    kind: fc.constant("initialWindow" as const),
    bytes: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 200_000 })),
  }),
  fc.record({ kind: fc.constant("frameBytes" as const), bytes: fc.integer({ min: 16_384, max: 100_000 }) }),
  fc.record({
    kind: fc.constant("credit" as const),
    stream,
    bytes: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 100_000 })),
  }),
  fc.record({ kind: fc.constant("reset" as const), stream: fc.constantFrom(1, 3, 5) }),
);

test("whatever a client does to its windows, no DATA overruns one, none waits that may go, and all of it comes in the end", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
      const client = new StrictClient();
      client.act({ kind: "request", bytes: 70_000 });
      for (const one of acts) client.act(one);
      expect(() => client.finish()).not.toThrow();
    }),
    { numRuns: 300 },
  );
});
