import fc from "fast-check";
import { expect, test } from "vitest";
import { InflightWindow } from "./inflight-window.ts";

const step = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), amount: fc.nat(60) }),
  fc.record({ kind: fc.constantFrom("release" as const, "clear" as const), amount: fc.nat(12) }),
);

test("it counts messages and bytes like a plain list", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 60 }), (messagesMax, steps) => {
      const window = new InflightWindow(messagesMax, 100);
      let model: { readonly index: number; readonly bytes: number }[] = [];
      let last = 0;
      for (const { kind, amount } of steps) {
        if (kind === "clear" && amount === 0) {
          window.clear();
          model = [];
        } else if (kind === "release") {
          window.release(last - amount);
          model = model.filter((message) => message.index > last - amount);
        } else if (!window.isFull) {
          last++;
          window.add(last, amount);
          model.push({ index: last, bytes: amount });
        }
        const bytes = model.reduce((sum, message) => sum + message.bytes, 0);
        expect(window.count).toBe(model.length);
        expect(window.isFull).toBe(model.length === messagesMax || bytes >= 100);
      }
    }),
  );
});

test("nothing goes into a full window", () => {
  const window = new InflightWindow(1, 100);
  window.add(1, 1);
  expect(() => window.add(2, 1)).toThrow("Nothing is sent into a full window");
});
