import { describe, expect, test } from "vitest";
import { LOG_LEVELS, logLevelOf, OutputSink } from "./output-sink.ts";

describe("the output", () => {
  test("has the lines of a log from its level on", () => {
    const sink = new OutputSink();
    sink.level = "WARN";
    for (const level of ["DEBUG", "INFO", "WARN", "ERROR"] as const) sink.log(level, "said");
    expect(sink.text).toBe("WARN said\nERROR said\n");
  });

  test("is empty at NONE, whatever is written", () => {
    const sink = new OutputSink();
    sink.level = "NONE";
    sink.write("a block\n");
    sink.log("FATAL", "said");
    sink.indented(() => sink.write("inside\n"));
    expect(sink.isSilent).toBe(true);
    expect(sink.text).toBe("");
  });

  test("indents blocks, also those in blocks, and ends their last line", () => {
    const sink = new OutputSink();
    sink.write("> 1\n");
    sink.indented(() => {
      sink.write("one\n\n");
      sink.indented(() => sink.log("INFO", "said"));
      sink.write("two");
    });
    sink.indented(() => undefined);
    sink.write("> 2\n");
    expect(sink.text).toBe("> 1\n  one\n  \n    INFO said\n  two\n> 2\n");
  });

  test("keeps what a block wrote before it failed", () => {
    const sink = new OutputSink();
    const failing = (): void =>
      sink.indented(() => {
        sink.write("one");
        throw new Error("failed");
      });
    expect(failing).toThrow("failed");
    expect(sink.text).toBe("  one\n");
  });

  test("begins anew when it is cleared", () => {
    const sink = new OutputSink();
    sink.write("one");
    sink.clear();
    expect(sink.text).toBe("");
  });
});

test("levels have names in capitals or not", () => {
  expect(LOG_LEVELS.map((level) => logLevelOf(level.toLowerCase()))).toEqual(LOG_LEVELS);
  expect(logLevelOf("loud")).toBeUndefined();
});
