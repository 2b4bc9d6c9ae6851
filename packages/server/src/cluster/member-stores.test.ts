import { encodeMemberAttributesCommand } from "@raftkv/api";
import type { LogEntry } from "@raftkv/raft-core";
import { describe, expect, test } from "vitest";
import { MemberDirectory } from "./member-directory.ts";
import { MemberStores } from "./member-stores.ts";

const founder = { id: 2n, name: "", peerUrls: [], clientUrls: [], storeId: 0n };
/** An entry as raft-node writes it. */
function entryOf(index: number, ...commands: readonly Uint8Array[]): LogEntry {
  const parts = commands.flatMap((command) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(command.length);
    return [length, command];
  });
  return { index, term: 1, kind: "command", data: Buffer.concat([Buffer.alloc(12), ...parts]) };
}

function attributes(memberId: bigint, storeId: bigint): Uint8Array {
  return encodeMemberAttributesCommand({ memberId, name: "n", clientUrls: [], storeId });
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
      entryOf(4, new Uint8Array([0x7a, 0])),
      entryOf(5, new Uint8Array([0x7a, 0]), attributes(2n, 5n), attributes(2n, 6n)),
      entryOf(6, attributes(9n, 7n)),
    ]);
    expect(stores.known(2n)).toBe(5n);
    expect(stores.known(9n)).toBe(0n);
  });
});
