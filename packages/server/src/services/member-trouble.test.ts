import { expect, test } from "vitest";
import { memberTrouble } from "./member-trouble.ts";

const repair = { from: 12, description: "segment 3 is damaged at offset 8192", target: 90, verified: 40 };

test("a sound member is in no trouble", () => {
  expect(memberTrouble({ repair: null, quarantine: null })).toBe(null);
});

test("a member under repair says what it lost and how far it has come", () => {
  expect(memberTrouble({ repair, quarantine: null })).toEqual({
    reason: "MEMBER UNDER REPAIR",
    sentence: "this member lost entries from log index 12 on and is under repair (verified 40 of 90)",
  });
  expect(memberTrouble({ repair: { ...repair, target: 0, verified: 0 }, quarantine: null })?.sentence).toBe(
    "this member lost entries from log index 12 on and is under repair (no leader has said how far its log goes)",
  );
});

test("a quarantined member says why and what there is to do, also if entries are lost too", () => {
  const evidence = { kind: "storage", description: "both copies of the meta file are damaged" } as const;
  expect(memberTrouble({ repair, quarantine: evidence })).toEqual({
    reason: "MEMBER QUARANTINED",
    sentence: expect.stringMatching(
      /^this member can't stand by what it acknowledged and takes no part: both copies of the meta file are damaged\. It stays out until it is replaced/,
    ),
  });
  const contradiction = { kind: "commit_beyond_log", commit: 9, lastIndex: 4, from: 2 } as const;
  expect(memberTrouble({ repair: null, quarantine: contradiction })?.sentence).toMatch(
    /: commit_beyond_log\. It stays out until it is replaced/,
  );
});
