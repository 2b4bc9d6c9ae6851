import { Metadata } from "@raftkv/raft-rpc";
import { expect, test } from "vitest";
import { ClientVersions } from "./client-versions.ts";

function versionsOf(names: readonly (string | null)[]): readonly unknown[] {
  const versions = new ClientVersions((path) => (path.endsWith("Watch") ? "stream" : "unary"));
  for (const [place, name] of names.entries()) {
    const metadata = name === null ? new Metadata() : Metadata.of({ "client-api-version": name });
    versions.admit({ path: place % 2 === 0 ? "/etcdserverpb.KV/Put" : "/etcdserverpb.Watch/Watch", metadata });
  }
  return [...versions.counts];
}

test("calls are counted by the version that their client names", () => {
  expect(versionsOf(["3.4", "3.4", "3.5", null, "3.4"])).toEqual([
    { version: "3.4", unary: 2, stream: 1 },
    { version: "3.5", unary: 1, stream: 0 },
    { version: "unknown", unary: 0, stream: 1 },
  ]);
});

test("what is no version, or one of too many, counts as unknown", () => {
  expect(versionsOf(["three", "3.4.1.2", "1".repeat(1_000)])).toEqual([{ version: "unknown", unary: 2, stream: 1 }]);
  const many = versionsOf(Array.from({ length: 1_000 }, (_, place) => `3.${place}`));
  expect(many).toHaveLength(33);
  expect(many.at(-1)).toEqual({ version: "unknown", unary: 484, stream: 484 });
});
