import type { ForwardPropose, NodeId, PeerMessage, RoleName, StepRejection } from "@raftkv/raft-core";
import { describe, expect, test } from "vitest";
import { ForwardedProposals } from "./forwarded-proposals.ts";

const SELF = 1;

function proposal(from: NodeId, bytes = 10): ForwardPropose {
  return { type: "forwardPropose", from, to: SELF, kind: "command", payloads: [new Uint8Array(bytes)] };
}

function fixture(limits: { readonly bytesMax?: number } = {}) {
  const sent: PeerMessage[] = [];
  const stepped: PeerMessage[] = [];
  const core = {
    role: "follower" as RoleName,
    leader: 0,
    step(message: PeerMessage): StepRejection | null {
      stepped.push(message);
      return null;
    },
  };
  const transfer = { isUnderWay: false };
  const transport = { send: (messages: readonly PeerMessage[]) => void sent.push(...messages) };
  const forwarded = new ForwardedProposals({ self: SELF, core, transfer, transport, bytesMax: limits.bytesMax ?? 1_000, timeoutMs: 100 });
  return { forwarded, core, transfer, sent, stepped };
}

describe("proposals that others forward", () => {
  test("are the core's own business while it leads", () => {
    const { forwarded, core } = fixture();
    core.role = "leader";
    expect(forwarded.keep(proposal(2), 0)).toBe(false);
  });

  test("wait while leadership is handed over, and are taken if it stays", () => {
    const { forwarded, core, transfer, stepped, sent } = fixture();
    core.role = "leader";
    core.leader = SELF;
    transfer.isUnderWay = true;
    expect(forwarded.keep(proposal(2), 0)).toBe(true);
    forwarded.passOn();
    expect([stepped, sent]).toEqual([[], []]);
    transfer.isUnderWay = false;
    forwarded.passOn();
    forwarded.passOn();
    expect([stepped, sent]).toEqual([[proposal(2)], []]);
  });

  test("go to the new leader once, in the own name", () => {
    const { forwarded, core, sent } = fixture();
    forwarded.keep(proposal(2), 0);
    forwarded.passOn();
    expect(sent).toEqual([]);
    core.leader = 3;
    forwarded.passOn();
    forwarded.passOn();
    expect(sent).toEqual([{ ...proposal(2), from: SELF, to: 3 }]);
  });

  test("are forgotten when nobody waits for them any more", () => {
    const { forwarded, core, sent } = fixture();
    forwarded.keep(proposal(2), 0);
    forwarded.keep(proposal(3), 50);
    forwarded.expire(120);
    core.leader = 3;
    forwarded.passOn();
    expect(sent).toMatchObject([{ to: 3 }]);
  });

  test("are lost beyond the limit, and a single one never is", () => {
    const { forwarded, core, sent } = fixture({ bytesMax: 100 });
    for (const bytes of [500, 1]) expect(forwarded.keep(proposal(2, bytes), 0)).toBe(true);
    core.leader = 3;
    forwarded.passOn();
    expect(sent).toHaveLength(1);
    for (const bytes of [60, 40, 1]) forwarded.keep(proposal(2, bytes), 0);
    forwarded.passOn();
    expect(sent).toHaveLength(3);
  });
});
