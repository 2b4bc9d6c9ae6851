import type { Mutation } from "./mutation.ts";

export const logMutations: readonly Mutation[] = [
  {
    name: "entries of an earlier term are committed by counting",
    shownBy: "fixed",
    edits: [
      {
        file: "leader/replication.ts",
        find: "if (index <= state.log.commit || state.log.termAt(index) !== state.term) return false;",
        replace: "if (index <= state.log.commit) return false;",
      },
    ],
  },
  {
    name: "entries are acknowledged before they are durable",
    shownBy: "fixed",
    edits: [
      {
        file: "follower.ts",
        find: "outbox.sendWhenDurable(repair === null",
        replace: "outbox.send(repair === null",
      },
    ],
  },
  {
    name: "the leader counts its own copy before it is durable",
    shownBy: "fixed",
    edits: [
      {
        file: "leader/appending.ts",
        find: "    log.append({ index: log.lastIndex + 1, term, kind, data });",
        replace:
          "    log.append({ index: log.lastIndex + 1, term, kind, data });\n    leadership.progressOf(state.id)?.accepted(log.lastIndex);",
      },
    ],
  },
  {
    name: "a heartbeat tells the whole commit index",
    shownBy: "fixed",
    edits: [{ file: "leader/replication.ts", find: "Math.min(peer.match, state.log.commit)", replace: "state.log.commit" }],
  },
  {
    name: "a follower commits what this leader did not verify",
    shownBy: "a follower commits what this leader has verified",
    edits: [
      {
        file: "follower.ts",
        find: "log.commitTo(Math.min(message.commit, verified));",
        replace: "log.commitTo(Math.min(message.commit, log.lastIndex));",
      },
    ],
  },
  {
    name: "entries are taken whatever stands before them",
    shownBy: "fixed",
    edits: [{ file: "follower.ts", find: "if (ownTerm !== message.prevTerm) return", replace: "if (ownTerm === undefined) return" }],
  },
  {
    name: "entries that are there already cut off what follows them",
    shownBy: "fixed",
    edits: [
      {
        file: "log/raft-log.ts",
        find: "entries.findIndex((entry) => this.termAt(entry.index) !== entry.term)",
        replace: "entries.findIndex((entry) => entry.index > this.committed)",
      },
    ],
  },
  {
    name: "an acknowledgement of the disk counts for whatever stands there now",
    shownBy: "an acknowledged append says nothing about what replaced it and came back",
    edits: [
      {
        file: "raft-core.ts",
        find: "if (acknowledgement.term === term) log.stableTo(lastIndex, lastTerm);",
        replace: "if (term > 0) log.stableTo(lastIndex, lastTerm);",
      },
      { file: "log/raft-log.ts", find: "if (existingTerm !== term || index", replace: "if (index" },
    ],
  },
  {
    name: "an acknowledgement of the disk from an earlier term counts",
    shownBy: "an acknowledged append says nothing about what replaced it and came back",
    edits: [
      {
        file: "raft-core.ts",
        find: "if (acknowledgement.term === term) log.stableTo(lastIndex, lastTerm);",
        replace: "if (term > 0) log.stableTo(lastIndex, lastTerm);",
      },
    ],
  },
  {
    name: "entries are applied before they are durable",
    shownBy: "fixed",
    edits: [
      {
        file: "log/raft-log.ts",
        find: "return withUndurable ? this.committed + 1 : Math.min(this.committed + 1, this.offset);",
        replace: "return this.committed + 1;",
      },
    ],
  },
  {
    name: "a snapshot leaves the end of the old log",
    shownBy: "fixed",
    edits: [
      {
        file: "log/raft-log.ts",
        find: "    this.entries.restart(meta.index + 1);",
        replace:
          "    if (meta.index >= this.lastIndex) this.entries.restart(meta.index + 1);\n    else this.entries.dropBefore(meta.index + 1);",
      },
    ],
  },
  {
    name: "a snapshot that the log already holds replaces it",
    shownBy: "fixed",
    edits: [
      {
        file: "follower.ts",
        find: "if (log.termAt(snapshot.index) === snapshot.term) {",
        replace: "if (log.termAt(snapshot.index) === 0) {",
      },
    ],
  },
  {
    name: "entries are handed out for applying while a snapshot is being stored",
    shownBy: "fixed",
    edits: [{ file: "log/raft-log.ts", find: "if (this.received !== null) return 0;", replace: "" }],
  },
  {
    name: "a stored snapshot does not move the applied index",
    shownBy: "fixed",
    edits: [{ file: "log/raft-log.ts", find: "this.applyingTo = Math.max(this.applyingTo, meta.index);", replace: "" }],
  },
  {
    name: "what was written before the log was cut is not written again",
    shownBy: "fixed",
    edits: [{ file: "log/raft-log.ts", find: "this.inProgress = Math.min(this.inProgress, index);", replace: "" }],
  },
  {
    name: "a new term is not handed out for writing",
    shownBy: "fixed",
    edits: [
      {
        file: "hand-out.ts",
        find: "return term !== this.reportedHard.term || vote !== this.reportedHard.vote;",
        replace: "return vote !== this.reportedHard.vote;",
      },
    ],
  },
  {
    name: "a new vote need not be synced",
    shownBy: "fixed",
    edits: [{ file: "hand-out.ts", find: "mustSync: isVoteNew || entries", replace: "mustSync: entries" }],
  },
];
