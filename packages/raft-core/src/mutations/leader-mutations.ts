import type { Mutation } from "./mutation.ts";

/** Reads, leases, flow control, hand-overs and quarantine. */
export const leaderMutations: readonly Mutation[] = [
  {
    name: "a new leader serves reads before it has committed anything",
    shownBy: "fixed",
    edits: [
      {
        file: "raft-core.ts",
        find: "role.reads.hasUnissued && log.commit >= role.termStart",
        replace: "role.reads.hasUnissued",
      },
    ],
  },
  {
    name: "an old answer to a heartbeat confirms new reads",
    shownBy: "an answer given before a read does not confirm it",
    edits: [
      {
        file: "leader/replication.ts",
        find: "if (message.readPosition <= peer.readPosition) return;\n  peer.readPosition = message.readPosition;",
        replace: "peer.readPosition = leadership.reads.issued;",
      },
    ],
  },
  {
    name: "a leader confirms reads by itself",
    shownBy: "fixed",
    edits: [
      {
        file: "leader/leadership.ts",
        find: "Math.min(reachedByQuorum(configuration, this.readPositionOf), this.reads.issued)",
        replace: "this.reads.issued",
      },
    ],
  },
  {
    name: "reads are forgotten when the leadership ends",
    shownBy: "fixed",
    edits: [{ file: "roles.ts", find: '    state.role.reads.failAll("leadership_lost");', replace: "" }],
  },
  {
    name: "forwarded reads wait for ever",
    shownBy: "fixed",
    edits: [{ file: "raft-core.ts", find: "state.forwardedReads.expire(state.now);", replace: "" }],
  },
  {
    name: "forwarded reads are numbered anew after a restart",
    shownBy: "fixed",
    edits: [{ file: "reads/forwarded-reads.ts", find: "random.below(2 ** 32) * 2 ** 20 + 1", replace: "random.below(1) + 1" }],
  },
  {
    name: "a lease counts from the answers instead of the question",
    shownBy: "a lease counts from when the question was asked",
    edits: [
      {
        file: "reads/lease.ts",
        find: "confirmed(position: number): void {",
        replace: "confirmed(position: number, nowMs: number): void {",
      },
      { file: "reads/lease.ts", find: "Math.max(this.startMs, round.sentAtMs)", replace: "Math.max(this.startMs, nowMs)" },
      {
        file: "leader/replication.ts",
        find: "leadership.lease?.confirmed(position);",
        replace: "leadership.lease?.confirmed(position, state.nowMs);",
      },
    ],
  },
  {
    name: "a lease trusts all clocks to run alike",
    shownBy: "a slow leader's lease ends before a fast member votes for another",
    edits: [{ file: "reads/lease.ts", find: " * (1 - options.driftPpm / 1_000_000)", replace: "" }],
  },
  {
    name: "a lease outlives a hand-over",
    shownBy: "a hand-over ends the lease",
    edits: [{ file: "leader/transfer-start.ts", find: "  leadership.lease?.end();", replace: "" }],
  },
  {
    name: "who comes back with leases in use votes at once",
    shownBy: "who comes back with leases in use votes for nobody at first",
    edits: [
      {
        file: "core-state.ts",
        find: "options.reference.voteRightAfterStart ? 0 : options.electionTicks",
        replace: "0",
      },
    ],
  },
  {
    name: "a promise to a leader is forgotten with the leader",
    shownBy: "who promised a leader patience keeps it when the leader is forgotten",
    edits: [{ file: "election/stickiness.ts", find: "Math.max(0, promisedUntil - now)", replace: "0" }],
  },
  {
    name: "hints are followed although leases are in use",
    shownBy: "no hint and no operator shortens what a lease relies on",
    edits: [{ file: "election/hints.ts", find: "options.preVote && options.leaseReads === null && ", replace: "options.preVote && " }],
  },
  {
    name: "a leader is forgotten although leases are in use",
    shownBy: "no hint and no operator shortens what a lease relies on",
    edits: [
      { file: "raft-core.ts", find: "if (state.options.leaseReads !== null) {", replace: "if (state.options.electionTicks === 0) {" },
    ],
  },
  {
    name: "a lease read does not wait for the first commit of the term",
    shownBy: "leases",
    edits: [{ file: "raft-core.ts", find: "log.commit >= leadership.termStart && leadership.lease", replace: "leadership.lease" }],
  },
  {
    name: "leadership is handed to who lacks entries",
    shownBy: "leadership is handed only to who has the whole log",
    edits: [
      {
        file: "leader/transfer-start.ts",
        find: "if (peer.match === state.log.lastIndex) tellToCampaign",
        replace: "if (peer.match >= 0) tellToCampaign",
      },
    ],
  },
  {
    name: "a hand-over that fails never ends",
    shownBy: "free",
    edits: [{ file: "raft-core.ts", find: 'endTransfer(state, leadership, "timeout");', replace: "" }],
  },
  {
    name: "a window is never emptied",
    shownBy: "fixed",
    edits: [{ file: "leader/replication.ts", find: "return peer.window.release(message.index);", replace: "return;" }],
  },
  {
    name: "who voted for a leader counts as having its whole log",
    shownBy: "fixed",
    edits: [
      {
        file: "tracker/progress.ts",
        find: "    this.isPresumedInStep = true;",
        replace: "    this.isPresumedInStep = true;\n    this.match = this.next - 1;",
      },
    ],
  },
  {
    name: "a probe that was lost is never repeated",
    shownBy: "fixed",
    edits: [{ file: "tracker/progress.ts", find: "  unpause(): void {\n    this.isWaiting = false;", replace: "  unpause(): void {" }],
  },
  {
    name: "a refusal moves what is sent next below what was verified",
    shownBy: "what was verified is not sent again",
    edits: [
      {
        file: "tracker/progress.ts",
        find: "Math.max(Math.min(rejected, hint + 1), this.match + 1)",
        replace: "Math.max(Math.min(rejected, hint + 1), 1)",
      },
    ],
  },
  {
    name: "a peer is left waiting for a snapshot that was lost",
    shownBy: "fixed",
    edits: [
      {
        file: "tracker/progress.ts",
        find: "    if (!stored) this.pendingSnapshot = 0;\n    this.becomeProbe();",
        replace: "    if (!stored) return;\n    this.becomeProbe();",
      },
    ],
  },
  {
    name: "a full adaptive window looks at compacted entries",
    shownBy: "free",
    edits: [{ file: "leader/replication.ts", find: "if (peer.next < log.firstIndex) return 0;", replace: "" }],
  },
  {
    name: "applied entries do not give their quota back",
    shownBy: "fixed",
    edits: [
      {
        file: "leader/proposing.ts",
        find: "leadership.uncommittedBytes -= entry.data.length;",
        replace: "leadership.uncommittedBytes -= 0;",
      },
    ],
  },
  {
    name: "the quota is given back for entries of earlier terms too",
    shownBy: "fixed",
    edits: [
      {
        file: "leader/proposing.ts",
        find: "if (entry.term === state.term && entry.index >= leadership.termStart) leader",
        replace: "if (entry.index > 0) leader",
      },
    ],
  },
  {
    name: "a store that was lost still counts",
    shownBy: "a store that was lost counts no more",
    edits: [
      {
        file: "leader/leadership.ts",
        find: "return peer?.isCounted === true ? peer.match : 0;",
        replace: "return peer === undefined || peer.repair !== null ? 0 : peer.match;",
      },
    ],
  },
  {
    name: "a member in quarantine votes and acknowledges",
    shownBy: "a member in quarantine gives no vote and acknowledges nothing",
    edits: [
      {
        file: "raft-core.ts",
        find: "if (evidence !== null) {\n      watch(this.state, message);",
        replace: "if (evidence !== null && this.state.now < 0) {\n      watch(this.state, message);",
      },
      { file: "hand-out.ts", find: "if (quarantine !== null) return false;", replace: "void quarantine;" },
    ],
  },
];
