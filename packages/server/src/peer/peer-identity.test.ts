import { describe, expect, test } from "vitest";
import { MemberDirectory } from "../cluster/member-directory.ts";
import { MemberStores } from "../cluster/member-stores.ts";
import { helloRefusal, helloTo } from "./peer-identity.ts";

const lanes = ["urgent", "bulk"] as const;
const self = { clusterId: 100n, memberId: 1n, name: "n1", storeId: 11n };
const peer = { clusterId: 100n, memberId: 2n, name: "n2", storeId: 22n };

function stores(peerStoreId: bigint): MemberStores {
  const founder = { name: "", peerUrls: [], clientUrls: [] };
  return new MemberStores(
    new MemberDirectory([
      { ...founder, id: 1n, storeId: 11n },
      { ...founder, id: 2n, storeId: peerStoreId },
    ]),
  );
}

describe("a Hello", () => {
  test.each([
    ["the store that the cluster knows", 22n],
    ["a store while the cluster knows none", 0n],
  ])("with %s is welcome", (_what, known) => {
    expect(helloRefusal(helloTo(peer, 1n, "urgent"), self, stores(known), lanes)).toBeNull();
  });

  test("with another store than the cluster knows is refused", () => {
    expect(helloRefusal(helloTo({ ...peer, storeId: 23n }, 1n, "bulk"), self, stores(22n), lanes)).toEqual({
      kind: "store_lost",
      reason:
        "member 0000000000000002 has another store than the cluster knows: its data directory was emptied or replaced; " +
        "it must be removed from the cluster and added again",
    });
  });

  test.each([
    [
      "of another cluster",
      helloTo({ ...peer, clusterId: 101n }, 1n, "bulk"),
      /^cluster ID mismatch: member 0000000000000002 is of cluster/,
    ],
    ["to another member", helloTo(peer, 3n, "bulk"), /^member ID mismatch: 0000000000000003 was called, this is 0000000000000001$/],
    [
      "of this member itself, with whatever store",
      helloTo({ ...self, storeId: 12n }, 1n, "bulk"),
      /^member ID mismatch: 0000000000000001 is this member itself$/,
    ],
    ["of a stranger", helloTo({ ...peer, memberId: 3n }, 1n, "bulk"), /^member 0000000000000003 is not of this cluster$/],
    ["of a version that never was", { ...helloTo(peer, 1n, "bulk"), protocolVersion: 0 }, /^peer protocol version 0 is not supported/],
    [
      "for a lane that the stream is not for",
      helloTo(peer, 1n, "snapshot"),
      /^lane mismatch: a stream for snapshot came, expected is urgent or bulk$/,
    ],
    ["without a store", helloTo({ ...peer, storeId: 0n }, 1n, "bulk"), /^member 0000000000000002 does not name its store$/],
  ])("%s is refused", (_what, hello, sentence) => {
    expect(helloRefusal(hello, self, stores(0n), lanes)).toEqual({ kind: "mismatch", reason: expect.stringMatching(sentence) });
  });
});
