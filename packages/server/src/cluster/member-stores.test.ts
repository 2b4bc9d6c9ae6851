import { encodeMemberAttributesCommand } from "@raftkv/api";
import type { LogEntry } from "@raftkv/raft-core";
import { describe, expect, test } from "vitest";
import { MemberDirectory } from "./member-directory.ts";
import { MemberStores } from "./member-stores.ts";

const founder = { id: 2n, name: "", peerUrls: [], clientUrls: [], storeId: 0n };
/** What raft-node puts in front of a command. */
const envelope = new Uint8Array(12);

function attributesEntry(index: number, memberId: bigint, storeId: bigint): LogEntry {
  const command = encodeMemberAttributesCommand({ memberId, name: "n", clientUrls: [], storeId });
  return { index, term: 1, kind: "command", data: Buffer.concat([envelope, command]) };
}

describe("the stores of the members", () => {
  test("are free to be any while nobody has heard of them", () => {
    const stores = new MemberStores(new MemberDirectory([founder]));
    expect(stores.known(2n)).toBe(0n);
    expect(stores.refusal(2n, 5n)).toBeNull();
  });

  test("are bound by what a member shows first", () => {
    const stores = new MemberStores(new MemberDirectory([founder]));
    stores.remember(2n, 5n);
    stores.remember(2n, 6n);
    expect(stores.known(2n)).toBe(5n);
    expect(stores.refusal(2n, 5n)).toBeNull();
    expect(stores.refusal(2n, 6n)).toMatch(/another store than the cluster knows/);
  });

  test("are those of the directory as soon as it knows them, whatever was shown before", () => {
    const directory = new MemberDirectory([founder]);
    const stores = new MemberStores(directory);
    stores.remember(2n, 6n);
    directory.setAttributes(2n, { name: "n2", clientUrls: [], storeId: 5n });
    expect(stores.refusal(2n, 6n)).toMatch(/another store/);
    expect(stores.refusal(2n, 5n)).toBeNull();
  });

  test("are read from a log that is not applied yet, and what is no command of a member is passed over", () => {
    const stores = new MemberStores(new MemberDirectory([founder]));
    stores.rememberAll([
      { index: 2, term: 1, kind: "empty", data: new Uint8Array(0) },
      { index: 3, term: 1, kind: "command", data: new Uint8Array(3) },
      { index: 4, term: 1, kind: "command", data: Buffer.concat([envelope, new Uint8Array([0x7a, 0])]) },
      attributesEntry(5, 2n, 5n),
      attributesEntry(6, 2n, 6n),
      attributesEntry(7, 9n, 7n),
    ]);
    expect(stores.known(2n)).toBe(5n);
    expect(stores.known(9n)).toBe(0n);
  });
});
