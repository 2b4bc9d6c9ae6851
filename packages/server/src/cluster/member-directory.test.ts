import { describe, expect, test } from "vitest";
import { MemberDirectory } from "./member-directory.ts";

const founders = [
  { id: 9n, name: "", peerUrls: ["http://127.0.0.1:2"], clientUrls: [] },
  { id: 2n, name: "", peerUrls: ["http://127.0.0.1:1"], clientUrls: [] },
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
    expect(directory.setAttributes(2n, { name: "n1", clientUrls: ["http://127.0.0.1:3"] })).toBe(true);
    expect(directory.setAttributes(3n, { name: "who", clientUrls: [] })).toBe(false);
    expect(directory.get(2n)).toEqual({ id: 2n, name: "n1", peerUrls: ["http://127.0.0.1:1"], clientUrls: ["http://127.0.0.1:3"] });
    expect(directory.members).toHaveLength(2);
  });
});
