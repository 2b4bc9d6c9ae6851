import { expect, test } from "vitest";
import { ClientTarget } from "./client-target.ts";
import { FrameTarget } from "./frame-target.ts";
import { runFuzz } from "./fuzz-run.ts";
import { HpackTarget } from "./hpack-target.ts";
import { MessageTarget } from "./message-target.ts";
import { ServerTarget } from "./server-target.ts";

/** A finding names both, to be run again alone; without them every run is the same. */
const seed = Number(process.env["FUZZ_SEED"] ?? 1);
const executionsWanted = process.env["FUZZ_EXECUTIONS"];
/** Inputs have some kilobytes: this is a loop that does not end, not a busy machine. */
const executionMsMax = 10_000;
const runMsMax = 600_000;

/** Tests that run every target, `portion` of what it takes to see all of its outcomes often. */
export function describeFuzz(portion: number, now: () => number): void {
  test.each([
    { target: new FrameTarget(), executions: 700_000, outcomes: ["whole", "cut off", "PROTOCOL_ERROR", "FRAME_SIZE_ERROR"] },
    { target: new HpackTarget(), executions: 900_000, outcomes: ["fields", "too large", "COMPRESSION_ERROR", "ENHANCE_YOUR_CALM"] },
    { target: new MessageTarget(), executions: 400_000, outcomes: ["ended", "INTERNAL", "RESOURCE_EXHAUSTED"] },
    {
      target: new ServerTarget(),
      executions: 20_000,
      outcomes: ["answered", "open", "GOAWAY 0 PROTOCOL_ERROR", "GOAWAY 0 COMPRESSION_ERROR"],
    },
    { target: new ClientTarget(), executions: 20_000, outcomes: ["unary ends OK", "open", "GOAWAY 0 PROTOCOL_ERROR"] },
  ])(
    "$target.name: no damaged input does harm",
    ({ target, executions, outcomes }) => {
      const count = executionsWanted === undefined ? Math.ceil(executions * portion) : Number(executionsWanted);
      const report = runFuzz(target, { seed, executions: count, now });
      const counts = [...report.outcomes].map(([outcome, times]) => `${outcome} ${times}`).join(", ");
      process.stdout.write(`${target.name}: ${count} executions from seed ${seed}, ${report.inputBytes} bytes: ${counts}\n`);
      // A run that is too short sees less, and shows only whether something is found.
      const missing = executionsWanted === undefined ? outcomes.filter((outcome) => !report.outcomes.has(outcome)) : [];
      expect(missing).toEqual([]);
      expect(report.slowestMs).toBeLessThan(executionMsMax);
    },
    runMsMax,
  );
}
