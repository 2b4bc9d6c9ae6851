import type { Mutation } from "./mutation.ts";

export const electionMutations: readonly Mutation[] = [
  {
    name: "a change of role takes back the vote",
    shownBy: "fixed",
    edits: [{ file: "roles.ts", find: "    state.vote = 0;\n  }", replace: "  }\n  if (leader !== state.id) state.vote = 0;" }],
  },
  {
    name: "a vote is given to everybody who asks",
    shownBy: "fixed",
    edits: [
      {
        file: "election/voting.ts",
        find: "state.vote === request.from || (state.vote === 0 && state.leader === 0)",
        replace: "state.leader === 0",
      },
    ],
  },
  {
    name: "a vote leaves before it is durable",
    shownBy: "fixed",
    edits: [
      {
        file: "election/voting.ts",
        find: "state.outbox.sendWhenDurable(answerTo(state, request, granted))",
        replace: "state.outbox.send(answerTo(state, request, granted))",
      },
    ],
  },
  {
    name: "votes are asked for with a log that is not durable",
    shownBy: "fixed",
    edits: [{ file: "election/campaign.ts", find: "else outbox.sendWhenDurable(message);", replace: "else outbox.send(message);" }],
  },
  {
    name: "a log that is behind gets votes",
    shownBy: "fixed",
    edits: [{ file: "election/voting.ts", find: "isFree && state.log.isAtLeast(request.lastTerm, request.lastIndex)", replace: "isFree" }],
  },
  {
    name: "a longer log of an earlier term gets votes",
    shownBy: "fixed",
    edits: [
      {
        file: "log/raft-log.ts",
        find: "return lastTerm > ownTerm || (lastTerm === ownTerm && lastIndex >= this.lastIndex);",
        replace: "return lastTerm > ownTerm || lastIndex >= this.lastIndex;",
      },
    ],
  },
  {
    name: "a voter that answers again is counted again",
    shownBy: "each voter counts once",
    edits: [
      {
        file: "quorum/vote-tally.ts",
        find: "if (!this.answers.has(voter)) this.answers.set(voter, granted);",
        replace: "this.answers.set(this.answers.has(voter) ? (this.repeated = -voter) : voter, granted);",
      },
      { file: "quorum/vote-tally.ts", find: "  private outcomeOfHalf(", replace: "  private repeated = 0;\n  private outcomeOfHalf(" },
      {
        file: "quorum/vote-tally.ts",
        find: "    let granted = 0;\n    let missing = 0;",
        replace: "    let granted = this.repeated === 0 ? 0 : 1;\n    let missing = 0;",
      },
    ],
  },
  {
    name: "answers of an earlier term count",
    shownBy: "fixed",
    edits: [
      {
        file: "dispatch.ts",
        find: "if (message.term < state.term) return stepOutdated(state, message);",
        replace: "if (message.term < state.term && !isResponse(message)) return stepOutdated(state, message);",
      },
    ],
  },
  {
    name: "a pre-vote raises the term of who is asked",
    shownBy: "fixed",
    edits: [
      {
        file: "dispatch.ts",
        find: 'message.type === "requestPreVote" || (message.type === "requestPreVoteResponse" && message.granted)',
        replace: 'message.type === "requestPreVoteResponse" && message.granted',
      },
    ],
  },
  {
    name: "a pre-vote takes the vote",
    shownBy: "fixed",
    edits: [{ file: "election/voting.ts", find: "if (granted && !isPreVote) {", replace: "if (granted) {" }],
  },
  {
    name: "nobody asks for pre-votes",
    shownBy: "a member that hears nobody keeps its term",
    edits: [
      { file: "election/campaign.ts", find: 'return state.options.preVote ? "preVote" : "election";', replace: 'return "election";' },
    ],
  },
  {
    name: "a pre-vote won makes a leader",
    shownBy: "fixed",
    edits: [
      {
        file: "election/voting.ts",
        find: 'if (isPreVote) return campaign(state, "election");',
        replace: "if (isPreVote) becomeCandidate(state);",
      },
      {
        file: "election/voting.ts",
        find: "import { becomeFollower, becomeLeader }",
        replace: "import { becomeCandidate, becomeFollower, becomeLeader }",
      },
    ],
  },
  {
    name: "nobody stands by a leader that lives",
    shownBy: "a leader that is heard is not deposed by one that hears nobody",
    edits: [{ file: "election/stickiness.ts", find: "isContent ? options.electionTicks - electionElapsed : 0", replace: "0" }],
  },
  {
    name: "members stand by their leader even if it hands over",
    shownBy: "fixed",
    edits: [{ file: "election/stickiness.ts", find: ' || (request.type === "requestVote" && request.isTransfer)', replace: "" }],
  },
  {
    name: "a leader without a quorum goes on",
    shownBy: "a leader that hears no quorum steps down",
    edits: [{ file: "leader/check-quorum.ts", find: "    becomeFollower(state, state.term, 0);", replace: "    void becomeFollower;" }],
  },
  {
    name: "learners stand for election",
    shownBy: "free",
    edits: [
      {
        file: "election/campaign.ts",
        find: "isTracked(configuration, id) && !isLearner(configuration, id) && ",
        replace: "isTracked(configuration, id) && ",
      },
    ],
  },
  {
    name: "a message of a higher term does not end a leadership",
    shownBy: "fixed",
    edits: [
      {
        file: "dispatch.ts",
        find: "if (message.term > state.term && !enterTerm(state, message)) return;",
        replace: 'if (message.term > state.term && (state.role.kind === "leader" || !enterTerm(state, message))) return;',
      },
    ],
  },
  {
    name: "a stuck member of a higher term is not freed",
    shownBy: "fixed",
    edits: [
      {
        file: "dispatch.ts",
        find: "const isFreeing = state.options.checkQuorum || state.options.preVote || state.repair !== null;",
        replace: "const isFreeing = false;",
      },
    ],
  },
  {
    name: "a term has no empty entry to begin with",
    shownBy: "fixed",
    edits: [{ file: "roles.ts", find: '[{ kind: "empty", data: NO_DATA }]', replace: "[]" }],
  },
];
