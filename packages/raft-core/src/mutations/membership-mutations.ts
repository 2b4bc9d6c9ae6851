import type { Mutation } from "./mutation.ts";

export const membershipMutations: readonly Mutation[] = [
  {
    name: "only the new half of a joint configuration commits",
    shownBy: "free",
    edits: [
      {
        file: "quorum/joint.ts",
        find: "sets.outgoing.length === 0 ? byVoters : Math.min(byVoters, reachedByHalf(sets.outgoing, valueOf))",
        replace: "byVoters",
      },
    ],
  },
  {
    name: "only the old half of a joint configuration commits",
    shownBy: "free",
    edits: [
      {
        file: "quorum/joint.ts",
        find: "Math.min(byVoters, reachedByHalf(sets.outgoing, valueOf))",
        replace: "reachedByHalf(sets.outgoing, valueOf)",
      },
    ],
  },
  {
    name: "only the new half of a joint configuration elects",
    shownBy: "free",
    edits: [
      {
        file: "quorum/vote-tally.ts",
        find: "if (byVoters === byOutgoing) return byVoters;",
        replace: "if (byVoters.length > 0) return byVoters;",
      },
    ],
  },
  {
    name: "one half of a joint configuration is enough to win",
    shownBy: "free",
    edits: [
      {
        file: "quorum/vote-tally.ts",
        find: 'byVoters === "lost" || byOutgoing === "lost" ? "lost" : "pending"',
        replace: 'byVoters === "won" || byOutgoing === "won" ? "won" : "pending"',
      },
    ],
  },
  {
    name: "half of the voters are a majority",
    shownBy: "free",
    edits: [{ file: "quorum/majority.ts", find: "Math.floor(count / 2) + 1", replace: "Math.ceil(count / 2)" }],
  },
  {
    name: "several voters are changed without a joint configuration",
    shownBy: "free",
    edits: [
      {
        file: "membership/changer.ts",
        find: 'return enterJoint(current, operations, { autoLeave: transition !== "explicit" });',
        replace:
          "const joint = enterJoint(current, operations, { autoLeave: true });\n  return joint.ok ? { ...leaveJoint(joint.configuration), started: joint.started } as ChangeResult : joint;",
      },
    ],
  },
  {
    name: "a learner's copy counts",
    shownBy: "free",
    edits: [
      {
        file: "leader/leadership.ts",
        find: "return reachedByQuorum(configuration, this.matchOf);",
        replace: "return reachedByQuorum({ voters: trackedIds(configuration), outgoing: configuration.outgoing }, this.matchOf);",
      },
    ],
  },
  {
    name: "a change is proposed while another is not applied",
    shownBy: "free",
    edits: [{ file: "leader/change-refusal.ts", find: 'if (leadership.pendingChange > log.applied) return "conf_pending";', replace: "" }],
  },
  {
    name: "a new leader does not reckon with a change that it inherited",
    shownBy: "free",
    edits: [{ file: "leader/leadership.ts", find: "this.pendingChange = lastIndex;", replace: "this.pendingChange = 0;" }],
  },
  {
    name: "a new leader changes members before it has committed anything",
    shownBy: "a new leader changes no members before it has committed anything",
    edits: [
      {
        file: "leader/change-refusal.ts",
        find: 'if (options.changeBarrier && log.commit < leadership.termStart) return "barrier";',
        replace: "",
      },
    ],
  },
  {
    name: "who has a committed change to apply stands for election",
    shownBy: "nobody is elected among members that a committed change removed",
    edits: [
      {
        file: "election/campaign.ts",
        find: 'return state.log.hasUnappliedChange() ? "unapplied_configuration" : null;',
        replace: "return null;",
      },
    ],
  },
  {
    name: "a removed leader goes on",
    shownBy: "free",
    edits: [
      {
        file: "leader/changes.ts",
        find: "if (state.options.stepDownOnRemoval) becomeFollower(state, state.term, 0);",
        replace: "void becomeFollower;",
      },
    ],
  },
  {
    name: "a joint configuration that leaves by itself is left only once it is asked to",
    shownBy: "free",
    edits: [{ file: "leader/changes.ts", find: "|| log.applied < role.pendingChange) return;", replace: "|| log.applied >= 0) return;" }],
  },
  {
    name: "a snapshot's members are not taken over",
    shownBy: "free",
    edits: [{ file: "follower.ts", find: "switchConfiguration(state, configuration, []);", replace: "void switchConfiguration;" }],
  },
  {
    name: "a change from before a received snapshot alters its members",
    shownBy: "a snapshot's members are those of its index",
    edits: [{ file: "leader/changes.ts", find: "if (state.log.isRestoring && ", replace: "if (state.term < 0 && " }],
  },
  {
    name: "a snapshot from before a member was added is refused by it",
    shownBy: "free",
    edits: [{ file: "follower.ts", find: "options.reference.refuseSnapshotsWithoutSelf && ", replace: "" }],
  },
  {
    name: "a member added again keeps the progress it had",
    shownBy: "a member added again within one change starts anew",
    edits: [
      { file: "leader/leadership.ts", find: "started.includes(id) ? undefined : this.progressOf(id)", replace: "this.progressOf(id)" },
    ],
  },
  {
    name: "new members are tracked only by the next leader",
    shownBy: "free",
    edits: [
      {
        file: "leader/changes.ts",
        find: "role.track(configuration, started, Math.max(state.log.lastIndex, 1));",
        replace: "void started;",
      },
    ],
  },
];
