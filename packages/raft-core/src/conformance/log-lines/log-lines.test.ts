import { expect, test } from "vitest";
import type { CoreEvent } from "../../events.ts";
import { votersOnly } from "../../membership/configuration.ts";
import { changeText } from "../text/change-text.ts";
import { logLineOf } from "./log-lines.ts";

const peer = {
  id: 11,
  state: "snapshot",
  match: 3,
  next: 9,
  isLearner: false,
  isPaused: true,
  pendingSnapshot: 8,
  isActive: true,
  isDistrusted: false,
  isUnderRepair: false,
  inflightMessages: 0,
  inflightBytes: 0,
  isInflightFull: false,
} as const;
const snapshot = { index: 8, term: 2, configuration: votersOnly([1, 2]) };
const dropped = { type: "proposalDropped", from: 10, term: 4, leader: 12, transferTarget: 0 } as const;

function lineOf(event: CoreEvent): string | null {
  const line = logLineOf(event, { id: 10, changeText });
  return line && `${line.level} ${line.text}`;
}

/** What scripts rarely come to. */
test.each<readonly [CoreEvent, string]>([
  [{ ...dropped, reason: "not_forwarded" }, "INFO a not forwarding to leader c at term 4; dropping proposal"],
  [{ ...dropped, reason: "quota" }, "WARN a appending new entries to log would exceed uncommitted entry size limit; dropping proposal"],
  [{ type: "readDropped", term: 4 }, "INFO a no leader at term 4; dropping index reading msg"],
  [{ type: "unstableTruncated", beforeIndex: 7 }, "INFO truncate the unstable entries before index 7"],
  [{ type: "acknowledgementIgnored", cause: "snapshot", index: 8 }, "INFO entry at index 8 matched unstable snapshot; ignoring"],
  [
    { type: "replicationResumed", cause: "stored", peer },
    "DEBUG a snapshot succeeded, resumed sending replication messages to b [StateSnapshot match=3 next=9 paused pendingSnap=8]",
  ],
  [
    { type: "replicationResumed", cause: "failed", peer },
    "DEBUG a snapshot failed, resumed sending replication messages to b [StateSnapshot match=3 next=9 paused pendingSnap=8]",
  ],
  [{ type: "snapshotNotSent", to: 11 }, "DEBUG ignore sending snapshot to b since it is not recently active"],
  [
    { type: "snapshotFastForwarded", snapshot, commit: 8, lastIndex: 9, lastTerm: 3 },
    "INFO a [commit: 8, lastindex: 9, lastterm: 3] fast-forwarded commit to snapshot [index: 8, term: 2]",
  ],
  [{ type: "snapshotHandled", snapshot, commit: 9, taken: false }, "INFO a [commit: 9] ignored snapshot [index: 8, term: 2]"],
  [
    { type: "snapshotRefused", snapshot },
    "WARN a attempted to restore snapshot but it is not in the ConfState Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false; should never happen",
  ],
  [
    { type: "higherTermSeen", message: { type: "transferLeadership", from: 12, to: 10, target: 11, term: 5 }, ownTerm: 4 },
    "INFO a [term: 4] received a MsgTransferLeader message with higher term from b [term: 5]",
  ],
  [
    { type: "timeoutNowIgnored", from: 12, role: "preCandidate", term: 4 },
    "DEBUG a [term 4 state StatePreCandidate] ignored MsgTimeoutNow from c",
  ],
  [{ type: "transferRefused", reason: "not_a_voter", target: 11, term: 4 }, "DEBUG a is learner. Ignored transferring leadership"],
])("%j", (event, expected) => {
  expect(lineOf(event)).toBe(expected);
});

test.each<CoreEvent>([
  { ...dropped, reason: "removed" },
  { type: "campaignRefused", reason: "exhausted", term: 4 },
  { type: "transferEnded", target: 11, result: "timeout", term: 4 },
  { type: "leaderSuspected", leader: 12, cause: "silence" },
])("%j is not mentioned", (event) => {
  expect(lineOf(event)).toBeNull();
});
