import { describe, expect, test } from "vitest";
import { PRIORITY_MAX, resolveOptions } from "./core-options.ts";
import type { CoreOptions } from "./options.ts";

const timing = { id: 1, electionTicks: 10, heartbeatTicks: 1 };

describe("options", () => {
  test("are safe unless something else is asked for", () => {
    const { onEvent, ...resolved } = resolveOptions(timing);
    expect(onEvent).toBeUndefined();
    expect(resolved).toMatchObject({
      preVote: true,
      checkQuorum: true,
      stepDownOnRemoval: true,
      forwardProposals: true,
      validateChanges: true,
      changeBarrier: true,
      commitMayWait: false,
      leaseReads: null,
      priority: 0,
      hintStaggerTicks: 1,
      adaptiveWindow: false,
      appendBytesMax: 1024 * 1024,
      inflightMessagesMax: 256,
      inflightBytesMax: 4 * 1024 * 1024,
      uncommittedBytesMax: 64 * 1024 * 1024,
      applyBytesMax: 16 * 1024 * 1024,
    });
    expect(Object.values(resolved.reference)).not.toContain(true);
  });

  test("are taken as they are given", () => {
    const given: Required<Omit<CoreOptions, "onEvent" | "reference">> = {
      ...timing,
      preVote: false,
      checkQuorum: true,
      stepDownOnRemoval: false,
      forwardProposals: false,
      validateChanges: false,
      changeBarrier: false,
      commitMayWait: true,
      promotionLagMax: 7,
      leaseReads: { driftPpm: 500, tickMs: 25 },
      priority: PRIORITY_MAX,
      hintStaggerTicks: 3,
      adaptiveWindow: true,
      appendBytesMax: 1,
      inflightMessagesMax: 1,
      inflightBytesMax: 1,
      uncommittedBytesMax: 1,
      applyBytesMax: 1,
    };
    expect(resolveOptions(given)).toMatchObject(given);
    expect(resolveOptions({ ...timing, reference: { forwardAgain: true } }).reference).toMatchObject({
      forwardAgain: true,
      trustMessages: false,
    });
  });

  test.each<readonly [Partial<CoreOptions>, string]>([
    [{ id: 0 }, "Option id is 0, not a positive safe integer"],
    [{ electionTicks: 1.5 }, "Option electionTicks is 1.5, not a positive safe integer"],
    [{ heartbeatTicks: -1 }, "Option heartbeatTicks is -1, not a positive safe integer"],
    [{ hintStaggerTicks: 0 }, "Option hintStaggerTicks is 0, not a positive safe integer"],
    [{ inflightMessagesMax: 0 }, "Option inflightMessagesMax is 0, not a positive safe integer"],
    [{ uncommittedBytesMax: Number.POSITIVE_INFINITY }, "Option uncommittedBytesMax is Infinity, not a positive safe integer"],
    [{ applyBytesMax: Number.NaN }, "Option applyBytesMax is NaN, not a positive safe integer"],
    [{ electionTicks: 1 }, "electionTicks 1 is less than two heartbeats of 1 ticks"],
    [{ appendBytesMax: 100, inflightBytesMax: 99 }, "inflightBytesMax 99 is less than appendBytesMax 100"],
    [{ priority: -1 }, "Option priority is -1, not an integer from 0 to 2147483646"],
    [{ priority: 0.5 }, "Option priority is 0.5, not an integer from 0 to 2147483646"],
    [{ priority: PRIORITY_MAX + 1 }, "Option priority is 2147483647, not an integer from 0 to 2147483646"],
    [{ leaseReads: { driftPpm: 0, tickMs: 1 }, checkQuorum: false }, "leaseReads needs checkQuorum"],
    [{ leaseReads: { driftPpm: -1, tickMs: 1 } }, "Option leaseReads.driftPpm is -1, not from 0 to 999999"],
    [{ leaseReads: { driftPpm: 1_000_000, tickMs: 1 } }, "Option leaseReads.driftPpm is 1000000, not from 0 to 999999"],
    [{ leaseReads: { driftPpm: 0, tickMs: 0 } }, "Option leaseReads.tickMs is 0, not positive"],
  ])("%j are refused", (options, sentence) => {
    const resolve = () => resolveOptions({ ...timing, ...options });
    expect(resolve).toThrow(RangeError);
    expect(resolve).toThrow(sentence);
  });
});
