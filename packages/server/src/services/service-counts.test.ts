import { NodeError } from "@raftkv/raft-node";
import { expect, test } from "vitest";
import { ServiceCounts } from "./service-counts.ts";

test("reads that ran out of time are told from those that failed for another reason", () => {
  const counts = new ServiceCounts();
  counts.readFailed(new NodeError("ERR_TIMED_OUT", "safe", "no majority answered"));
  counts.readFailed(new NodeError("ERR_NO_LEADER", "safe", "nobody leads"));
  counts.readFailed(new NodeError("ERR_STOPPED", "safe", "the member was closed"));
  expect(counts).toMatchObject({ timedOutReads: 2, failedReads: 1 });
});
