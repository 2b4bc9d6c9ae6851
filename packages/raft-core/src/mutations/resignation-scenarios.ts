import { soloLeader } from "../testing/solo-leader.ts";
import { drain, exchange, heartbeat, ofType, soloMember, vote } from "../testing/solo-member.ts";
import { TestCluster } from "../testing/test-cluster.ts";
import type { TestMember } from "../testing/test-member.ts";
import { demand } from "./demand.ts";

/** What chance meets too seldom when leaders resign. */
export const resignationScenarios = {
  "nobody resigns in favour of a member whose store was lost": (): void => {
    const member = soloLeader({ size: 3 });
    member.core.peerLostStore(2);
    member.core.resignTo(2);
    drain(member);
    demand(member.core.role === "leader", "it did");
  },

  "a leader that hands over to nobody goes on": (): void => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.passes = ({ type }) => type !== "timeoutNow";
    cluster.member(1).core.transferLeadership(2);
    cluster.settle();
    demand(cluster.member(1).core.role === "leader", "it did not");
  },

  "an unasked vote counts in its own term only": (): void => {
    const member = followerOf2();
    exchange(member, vote(2, { term: member.core.term + 2 }));
    demand(member.core.role === "follower", `it made a ${member.core.role}`);
  },

  "only its leader's unasked vote makes a member stand for election": (): void => {
    const member = followerOf2();
    exchange(member, vote(3, { term: member.core.term + 1 }));
    demand(member.core.role === "follower", `that of another made a ${member.core.role}`);
  },

  "a successor stands for election whichever word comes first": (): void => {
    const member = followerOf2();
    const { term } = member.core;
    exchange(member, vote(2, { term: term + 1 }), { type: "timeoutNow", from: 2, to: 1, term, isResigning: true });
    demand(member.core.role === "leader", `it is a ${member.core.role}`);
  },
  "a successor asks the others for what its leader did not send": (): void => {
    const member = followerOf2();
    exchange(member, { type: "timeoutNow", from: 2, to: 1, term: member.core.term, isResigning: true });
    member.core.tick();
    demand(ofType(drain(member), "requestVote").length === 0, "it does not wait");
    member.core.tick();
    demand(ofType(drain(member), "requestVote").length === 2, "it waits");
  },

  "a successor asks at once where its leader's vote is not enough": (): void => {
    const member = followerOf2(5);
    const sent = exchange(member, { type: "timeoutNow", from: 2, to: 1, term: member.core.term, isResigning: true });
    demand(ofType(sent, "requestVote").length === 4, "it waits");
  },
} as const;

function followerOf2(size = 3): TestMember {
  const member = soloMember({ size, terms: [1] });
  exchange(member, heartbeat(2, { term: 1 }));
  return member;
}
