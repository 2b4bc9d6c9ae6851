import { describe, expect, test } from "vitest";
import { MemberDirectory } from "./member-directory.ts";

const founders = [
  { id: 9n, name: "", peerUrls: ["http://127.0.0.1:2"], clientUrls: [], storeId: 0n },
  { id: 2n, name: "", peerUrls: ["http://127.0.0.1:1"], clientUrls: [], storeId: 0n },
];

describe("the member directory", () => {
  test("lists members by id and finds them by the core's id", () => {
    const directory = new MemberDirectory(founders);
    expect(directory.members.map((member) => member.id)).toEqual([2n, 9n]);
    expect(directory.byNodeId(9)?.peerUrls).toEqual(["http://127.0.0.1:2"]);
    expect(directory.byNodeId(3)).toBeUndefined();
  });

  test("takes what a member says about itself, and nothing about strangers", () => {
    const directory = new MemberDirectory(founders);
    const attributes = { name: "n1", clientUrls: ["http://127.0.0.1:3"], storeId: 5n };
    expect(directory.setAttributes(2n, attributes)).toBe("set");
    expect(directory.setAttributes(3n, { name: "who", clientUrls: [], storeId: 6n })).toBe("unknown-member");
    expect(directory.get(2n)).toEqual({ id: 2n, peerUrls: ["http://127.0.0.1:1"], ...attributes });
    expect(directory.members).toHaveLength(2);
  });

  test.each([[6n], [0n]])("never takes store %s for a member whose store it knows", (storeId) => {
    const directory = new MemberDirectory(founders);
    directory.setAttributes(2n, { name: "n1", clientUrls: [], storeId: 5n });
    expect(directory.setAttributes(2n, { name: "emptied", clientUrls: ["http://127.0.0.1:3"], storeId })).toBe("store-replaced");
    expect(directory.get(2n)).toMatchObject({ name: "n1", clientUrls: [], storeId: 5n });
    expect(directory.setAttributes(2n, { name: "renamed", clientUrls: [], storeId: 5n })).toBe("set");
    expect(directory.get(2n)?.name).toBe("renamed");
  });
});
