import type { Mutation } from "./mutation.ts";

/** A member that lost entries, and its leader. */
export const repairMutations: readonly Mutation[] = [
  {
    name: "a member under repair votes",
    shownBy: "damaged",
    edits: [
      {
        file: "election/voting.ts",
        find: "if (state.repair !== null) return withholdVote(state, request, state.repair.id);",
        replace: "void withholdVote;",
      },
    ],
  },
  {
    name: "a member under repair stands for election",
    shownBy: "damaged",
    edits: [
      {
        file: "election/campaign.ts",
        find: "quarantine !== null || repair !== null",
        replace: "quarantine !== null || repair === undefined",
      },
      { file: "election/campaign.ts", find: 'if (state.repair !== null) return "under_repair";', replace: "" },
      { file: "roles.ts", find: 'assert(state.repair === null, "A member under repair does not campaign");', replace: "" },
      {
        file: "invariants/local.ts",
        find: 'assert(repair === null || role.kind === "follower", "A member under repair follows");',
        replace: "",
      },
    ],
  },
  {
    name: "a repair ends without anything coming back",
    shownBy: "a committed entry outlives the damage of a member that acknowledged it",
    edits: [
      {
        file: "repair.ts",
        find: "const isVerified = target > 0 && verified >= target && log.durable >= target",
        replace: "const isVerified = verified >= 0",
      },
      { file: "repair.ts", find: "durableCommit >= Math.min(log.commit, target)", replace: "durableCommit >= 0" },
    ],
  },
  {
    name: "a repair ends before a leader has said how far it goes",
    shownBy: "damaged",
    edits: [{ file: "repair.ts", find: "target > 0 && verified", replace: "verified" }],
  },
  {
    name: "a repair ends before what came back is verified",
    shownBy: "what a damaged log still holds is verified before it counts",
    edits: [{ file: "repair.ts", find: "verified >= target && ", replace: "verified >= 0 && " }],
  },
  {
    name: "a repair ends before what came back is durable",
    shownBy: "a repair ends when what came back is durable",
    edits: [{ file: "repair.ts", find: "log.durable >= target && ", replace: "" }],
  },
  {
    name: "a repair ends before the commit index is durable",
    shownBy: "a repair ends when the commit index is durable too",
    edits: [{ file: "repair.ts", find: " && durableCommit >= Math.min(log.commit, target)", replace: " && durableCommit >= 0" }],
  },
  {
    name: "what was verified against one leader passes for verified against the next",
    shownBy: "what was verified against one leader is verified again against the next",
    edits: [{ file: "repair.ts", find: "    this.target = 0;\n    this.verified = 0;\n  }", replace: "    this.target = 0;\n  }" }],
  },
  {
    name: "a target outlives the leader that named it",
    shownBy: "each leader names its own target",
    edits: [{ file: "repair.ts", find: "    this.target = 0;\n    this.verified = 0;\n  }", replace: "    this.verified = 0;\n  }" }],
  },
  {
    name: "the answer to an earlier repair is taken for one to this",
    shownBy: "a target named for an earlier repair says nothing about this one",
    edits: [{ file: "follower.ts", find: "named?.id !== repair.id ||", replace: "named === undefined ||" }],
  },
  {
    name: "the commit index of before the damage is believed",
    shownBy: "what a damaged log still holds is verified before it counts",
    edits: [{ file: "core-state.ts", find: "repairId === 0 ? start.hardState.commit : 0", replace: "start.hardState.commit" }],
  },
  {
    name: "a member under repair commits what nobody has verified",
    shownBy: "what a damaged log still holds is verified before it counts",
    edits: [{ file: "repair.ts", find: "Math.min(commit, this.verified, last)", replace: "Math.min(commit, last)" }],
  },
  {
    name: "a leader that does not know of the damage yet has the member taken out",
    shownBy: "damaged",
    edits: [{ file: "contradiction.ts", find: " && state.repair === null ?", replace: " ?" }],
  },
  {
    name: "a member under repair acknowledges as if nothing were lost",
    shownBy: "damaged",
    edits: [
      {
        file: "follower.ts",
        find: "outbox.sendWhenDurable(repair === null ? response :",
        replace: "outbox.sendWhenDurable(repair !== undefined ? response :",
      },
      {
        file: "follower.ts",
        find: "state.outbox.send(repair === null ? answer :",
        replace: "state.outbox.send(repair !== undefined ? answer :",
      },
    ],
  },
  {
    name: "a leader goes on from what was lost",
    shownBy: "damaged",
    edits: [
      {
        file: "leader/peer-repair.ts",
        find: '  peer.startOver((answer.type === "appendEntriesResponse" ? answer.index : target) + 1);',
        replace: "  void answer;",
      },
    ],
  },
  {
    name: "a leader never hears of a second loss",
    shownBy: "a second loss begins the repair anew",
    edits: [{ file: "leader/peer-repair.ts", find: "peer.repair?.id !== id", replace: "peer.repair === null" }],
  },
  {
    name: "a member stays under repair in its leader's eyes",
    shownBy: "damaged",
    edits: [{ file: "leader/peer-repair.ts", find: "  peer.repair = null;\n", replace: "" }],
  },
  {
    name: "what a member acknowledged under repair is forgotten at its end",
    shownBy: "what was acknowledged under repair counts at its end",
    edits: [
      {
        file: "leader/peer-repair.ts",
        find: "if (advanceCommit(state, leadership)) broadcastAppend(state);",
        replace: "void [advanceCommit, broadcastAppend];",
      },
    ],
  },
  {
    name: "a quorum contains a member under repair",
    shownBy: "no quorum contains a member under repair",
    edits: [{ file: "tracker/progress.ts", find: "!this.isDistrusted && this.repair === null", replace: "!this.isDistrusted" }],
  },
  {
    name: "a leader steps down although the members that it repairs answer",
    shownBy: "a leader repairs a majority",
    edits: [
      {
        file: "leader/check-quorum.ts",
        find: "leadership.progressOf(id)?.isActive === true",
        replace: "(leadership.progressOf(id)?.isActive && leadership.progressOf(id)?.isCounted) === true",
      },
    ],
  },
  {
    name: "leadership is handed to a member under repair",
    shownBy: "leadership is not handed to a member under repair",
    edits: [{ file: "leader/transfer-start.ts", find: 'if (peer.repair !== null) return "under_repair";', replace: "" }],
  },
  {
    name: "a member under repair is stuck in a later term than its leader's",
    shownBy: "a leader of an earlier term hears so from a member under repair",
    edits: [{ file: "dispatch.ts", find: " || state.repair !== null;", replace: ";" }],
  },
];
