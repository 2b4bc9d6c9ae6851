import type { PeerMessage } from "@raftkv/raft-core";
import { describe, expect, test } from "vitest";
import { Inbox } from "./inbox.ts";

const route = { from: 2, to: 1 };
const append: PeerMessage = { type: "appendEntries", ...route, term: 1, prevIndex: 0, prevTerm: 0, commit: 0, entries: [] };
const heartbeat: PeerMessage = { type: "heartbeat", ...route, term: 1, commit: 0, readPosition: 0 };
const proposal: PeerMessage = { type: "forwardPropose", ...route, kind: "command", payloads: [] };
const timeoutNow: PeerMessage = { type: "timeoutNow", ...route, term: 1, isResigning: false };

function drained(inbox: Inbox): readonly string[] {
  const types: string[] = [];
  inbox.drainMessages(({ type }) => types.push(type));
  return types;
}

describe("an inbox", () => {
  test("gives urgent messages first, and each kind in the order in which it came", () => {
    const inbox = new Inbox();
    for (const message of [append, heartbeat, proposal, timeoutNow]) inbox.add(message);
    expect(drained(inbox)).toEqual(["heartbeat", "timeoutNow", "appendEntries", "forwardPropose"]);
    expect(drained(inbox)).toEqual([]);
  });

  test("keeps for the next turn what comes while it is emptied", () => {
    const inbox = new Inbox();
    inbox.add(heartbeat);
    inbox.drainMessages(() => inbox.add(append));
    expect(drained(inbox)).toEqual(["appendEntries"]);
  });

  test("tells once of lost stores", () => {
    const inbox = new Inbox();
    inbox.addStoreLost(2);
    const seen: number[] = [];
    inbox.drainLostStores((peer) => seen.push(peer));
    inbox.drainLostStores((peer) => seen.push(peer));
    expect(seen).toEqual([2]);
  });

  test("tells once of lost messages and of connections that were reset", () => {
    const inbox = new Inbox();
    inbox.addDown(2);
    inbox.addUnreachable(2);
    inbox.addUnreachable(3);
    const seen: string[] = [];
    const handlers = { onUnreachable: (peer: number) => seen.push(`lost ${peer}`), onDown: (peer: number) => seen.push(`down ${peer}`) };
    inbox.drainLosses(handlers);
    inbox.drainLosses(handlers);
    expect(seen).toEqual(["lost 2", "lost 3", "down 2"]);
  });
});
