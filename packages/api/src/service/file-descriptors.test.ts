import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { clientMethodKinds } from "./client-services.ts";
import { clientFileDescriptors } from "./file-descriptors.ts";

test("every file that clients need is there once, with all that it imports", () => {
  const files = clientFileDescriptors().map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
  const names = files.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(expect.arrayContaining(["etcdserverpb/kv.proto", "mvccpb/kv.proto", "authpb/auth.proto", "v3lockpb/lock.proto"]));
  for (const { dependency } of files) expect(names).toEqual(expect.arrayContaining(dependency));
  expect(names).not.toContain("raftkv/peer/v1/peer.proto");
});

test("every method that clients can call has its kind", () => {
  const kinds = clientMethodKinds();
  const paths = ["/etcdserverpb.KV/Range", "/etcdserverpb.Maintenance/Snapshot", "/etcdserverpb.Watch/Watch"];
  expect(paths.map((path) => kinds.get(path))).toEqual(["unary", "server_streaming", "bidi_streaming"]);
  expect(kinds.has("/raftkv.peer.v1.RaftPeer/Exchange")).toBe(false);
});
