import type { Mutation } from "./mutation.ts";

/** Of the vote that a leader gives its successor unasked. */
export const resignationMutations: readonly Mutation[] = [
  {
    name: "a leader that resigns sends its vote before it is durable",
    shownBy: "fixed",
    edits: [{ file: "leader/hand-over.ts", find: "state.outbox.sendWhenDurable({ type:", replace: "state.outbox.send({ type:" }],
  },
  {
    name: "a leader that resigns forgets whom it voted for",
    shownBy: "fixed",
    edits: [{ file: "leader/hand-over.ts", find: "  state.vote = successor;\n", replace: "" }],
  },
  {
    name: "a leader that resigns votes in its own term",
    shownBy: "fixed",
    edits: [
      {
        file: "leader/hand-over.ts",
        find: "  becomeFollower(state, state.term + 1, 0, successor);\n",
        replace: "  void becomeFollower;\n",
      },
    ],
  },
  {
    name: "a leader resigns in favour of a member that has nothing yet",
    shownBy: "fixed",
    edits: [
      {
        file: "leader/transfer-start.ts",
        find: "if (peer.match === state.log.lastIndex) tellToCampaign",
        replace: "if (isResigning || peer.match === state.log.lastIndex) tellToCampaign",
      },
    ],
  },
  {
    name: "a leader resigns in favour of a member that still lacks entries",
    shownBy: "fixed",
    edits: [
      {
        file: "leader/hand-over.ts",
        find: "peer.id === leadership.transferTarget && peer.match === state.log.lastIndex",
        replace: "peer.id === leadership.transferTarget",
      },
    ],
  },
  {
    name: "a leader resigns in favour of a member whose store was lost",
    shownBy: "nobody resigns in favour of a member whose store was lost",
    edits: [{ file: "leader/hand-over.ts", find: "leadership.isResigning && peer.isCounted &&", replace: "leadership.isResigning &&" }],
  },
  {
    name: "a leader resigns whenever it hands over",
    shownBy: "a leader that hands over to nobody goes on",
    edits: [{ file: "leader/hand-over.ts", find: "const isResigning = leadership.isResigning && ", replace: "const isResigning = " }],
  },
  {
    name: "the vote of a leader that resigned counts in an earlier term",
    shownBy: "an unasked vote counts in its own term only",
    edits: [
      {
        file: "dispatch.ts",
        find: "message.from === leader && message.term === term + 1",
        replace: "message.from === leader && message.term > term",
      },
    ],
  },
  {
    name: "anybody's vote is taken for the word to campaign",
    shownBy: "only its leader's unasked vote makes a member stand for election",
    edits: [{ file: "dispatch.ts", find: "message.from === leader && message.term === term + 1", replace: "message.term === term + 1" }],
  },
  {
    name: "a successor waits for a vote that was lost",
    shownBy: "a successor asks the others for what its leader did not send",
    edits: [{ file: "raft-core.ts", find: "askAfterAll(state, state.role);", replace: "void askAfterAll;" }],
  },
  {
    name: "a successor asks nobody although one vote more is not enough",
    shownBy: "a successor asks at once where its leader's vote is not enough",
    edits: [
      { file: "election/campaign.ts", find: 'isEnough ? "succession" : "transfer"', replace: 'isEnough ? "succession" : "succession"' },
    ],
  },
  {
    name: "a vote that comes before the word to campaign is lost",
    shownBy: "a successor stands for election whichever word comes first",
    edits: [
      {
        file: "dispatch.ts",
        find: "if (isResignation(state, message)) {",
        replace: "if (isResignation(state, message) && state.term < 0) {",
      },
    ],
  },
];
