import { expect, test } from "vitest";
import { readResidentBytes } from "./resident-memory.ts";

test.runIf(process.platform === "linux")("the memory of a process is read, and there is none without the process", () => {
  const bytes = readResidentBytes(process.pid);
  expect(bytes).toBeGreaterThan(process.memoryUsage.rss() / 2);
  expect(bytes).toBeLessThan(process.memoryUsage.rss() * 2);
  expect(readResidentBytes(2 ** 30)).toBeNull();
});
