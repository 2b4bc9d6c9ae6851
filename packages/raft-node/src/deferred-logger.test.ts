import { expect, test } from "vitest";
import { DeferredLogger } from "./deferred-logger.ts";
import type { LogFields } from "./ports.ts";

test("lines are written when they are flushed, in order, once, each at its level", () => {
  const lines: unknown[] = [];
  const at = (level: string) => (message: string, fields?: LogFields) => void lines.push([level, message, fields]);
  const logger = new DeferredLogger({ debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") });
  logger.info("first", { term: 1 });
  logger.error("second");
  logger.warn("third");
  logger.debug("fourth");
  expect(lines).toEqual([]);
  logger.flush();
  logger.flush();
  expect(lines).toEqual([
    ["info", "first", { term: 1 }],
    ["error", "second", undefined],
    ["warn", "third", undefined],
    ["debug", "fourth", undefined],
  ]);
});
