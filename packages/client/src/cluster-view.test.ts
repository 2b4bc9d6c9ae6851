import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ClusterView,
  initialView,
  learnedMembersMax,
  memberAt,
  nextAttemptMs,
  selectMember,
  withAnswer,
  withFailure,
  withLeader,
} from "./cluster-view.ts";
import { type Endpoint, parseEndpoint } from "./endpoint.ts";

const a = parseEndpoint("127.0.0.1:1001");
const b = parseEndpoint("127.0.0.1:1002");
const c = parseEndpoint("127.0.0.1:1003");

function selected(view: ClusterView, need: "leader" | "any", nowMs: number): string | null {
  return selectMember(view, need, nowMs)?.endpoint.address ?? null;
}

describe("selection", () => {
  test("while the leader is unknown, the first configured endpoint is asked", () => {
    const view = initialView([a, b]);
    expect(selected(view, "leader", 0)).toBeNull();
    expect(selected(view, "any", 0)).toBe(a.address);
  });

  test("a member that failed is left alone until its time, the next one is asked", () => {
    const view = withFailure(initialView([a, b]), a.address, 50);
    expect(selected(view, "any", 49)).toBe(b.address);
    expect(selected(view, "any", 50)).toBe(a.address);
  });

  test("if all have failed nobody is asked before the earliest time", () => {
    const view = withFailure(withFailure(initialView([a, b]), a.address, 70), b.address, 60);
    expect(selected(view, "any", 59)).toBeNull();
    expect(nextAttemptMs(view)).toBe(60);
    expect(selected(view, "any", 60)).toBe(b.address);
  });

  test("who answered as leader is the leader, and its failures are forgotten", () => {
    const view = withAnswer(withFailure(initialView([a, b]), b.address, 1000), b.address);
    expect(selected(view, "leader", 0)).toBe(b.address);
    expect(memberAt(view, b.address)?.failures).toBe(0);
  });

  test("an answer that is no news leaves the view as it is, so that it costs nothing", () => {
    const view = withAnswer(initialView([a, b]), a.address);
    expect(withAnswer(view, a.address)).toBe(view);
  });

  test("a redirect names a leader that was not configured", () => {
    const view = withLeader(initialView([a]), c);
    expect(selected(view, "leader", 0)).toBe(c.address);
    expect(selected(view, "any", 0)).toBe(a.address);
  });

  test("a redirect to a member that has just failed does not make it selectable", () => {
    const view = withLeader(withFailure(initialView([a, b]), b.address, 100), b);
    expect(view.leader).toBe(b.address);
    expect(selected(view, "leader", 99)).toBeNull();
    expect(selected(view, "leader", 100)).toBe(b.address);
  });

  test("a leader that fails is no longer the leader, another member that fails changes nothing of that", () => {
    const view = withAnswer(initialView([a, b]), a.address);
    expect(withFailure(view, b.address, 10).leader).toBe(a.address);
    expect(withFailure(view, a.address, 10).leader).toBeNull();
  });
});

test("whatever members say, configured ones stay in order, learned ones are bounded and the old view is not changed", () => {
  const endpoints: readonly Endpoint[] = Array.from({ length: 40 }, (_, place) => parseEndpoint(`10.0.0.${place}:2379`));
  const endpoint = fc.nat({ max: endpoints.length - 1 }).map((place) => endpoints[place] ?? a);
  const change = fc.oneof(
    endpoint.map((target) => (view: ClusterView) => withAnswer(view, target.address)),
    endpoint.map((leader) => (view: ClusterView) => withLeader(view, leader)),
    fc.tuple(endpoint, fc.nat(100)).map(
      ([target, atMs]) =>
        (view: ClusterView) =>
          withFailure(view, target.address, atMs),
    ),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 100 }), (changes) => {
      let view = initialView([a, b, c]);
      for (const apply of changes) {
        const before = JSON.stringify(view);
        const next = apply(view);
        expect(JSON.stringify(view)).toBe(before);
        view = next;
        const configured = view.members.filter((member) => member.configured).map((member) => member.endpoint);
        expect(configured).toEqual([a, b, c]);
        expect(view.members.length).toBeLessThanOrEqual(3 + learnedMembersMax);
        expect(new Set(view.members.map((member) => member.endpoint.address)).size).toBe(view.members.length);
        expect(selectMember(view, "any", Number.MAX_VALUE)).not.toBeNull();
      }
    }),
  );
});
