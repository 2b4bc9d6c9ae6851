import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { UsageError } from "../option-values.ts";
import { parseLogStoreBenchOptions, usage } from "./log-store-options.ts";

describe("the options", () => {
  test("are a run of about a minute if none is given", () => {
    expect(parseLogStoreBenchOptions([])).toEqual({
      parts: ["append", "stall", "recovery"],
      entrySizes: [64, 256, 4096, 65536],
      callerCounts: [1, 10, 100],
      rounds: 3,
      turnMs: 200,
      snapshotBytes: 256 * 1024 * 1024,
      recoveryBytes: 512 * 1024 * 1024,
      directory: tmpdir(),
      check: false,
    });
  });

  test("choose parts, sizes and places", () => {
    const args = [
      "--only",
      "stall,append",
      "--bytes=100",
      "--callers=2,3",
      "--seconds=1.5",
      "--snapshot-mib=1",
      "--directory=/d",
      "--check",
    ];
    expect(parseLogStoreBenchOptions(args)).toMatchObject({
      parts: ["stall", "append"],
      entrySizes: [100],
      callerCounts: [2, 3],
      turnMs: 1500,
      snapshotBytes: 1024 * 1024,
      directory: "/d",
      check: true,
    });
  });

  test("ask for help", () => expect(parseLogStoreBenchOptions(["--help"])).toBeNull());

  test.each([["--only=fsync"], ["--bytes=0"], ["--bytes=5000000"], ["--callers=1,x"], ["--rounds=0"], ["--seconds=0"], ["--what"]])(
    "refuse %s with a sentence",
    (argument) => expect(() => parseLogStoreBenchOptions([argument])).toThrow(UsageError),
  );

  test("stand in the usage", () => {
    for (const flag of ["only", "bytes", "callers", "rounds", "seconds", "snapshot-mib", "recovery-mib", "directory", "check", "help"]) {
      expect(usage).toContain(`--${flag}`);
    }
  });
});
