import {
  encodeKeyRequest,
  encodeKeyValueRequest,
  encodeMemberAttributesCommand,
  encodePutRequest,
  encodeRequestCommand,
} from "@raftkv/api";
import { describe, expect, test } from "vitest";
import { MemberDirectory } from "../cluster/member-directory.ts";
import type { ApplyResult } from "./apply-result.ts";
import { ReplicatedState } from "./replicated-state.ts";

const text = (characters: string): Uint8Array => new TextEncoder().encode(characters);
const members = [{ id: 7n, name: "", peerUrls: ["http://127.0.0.1:2380"], clientUrls: [], storeId: 0n }];

class Replica {
  readonly state = new ReplicatedState(new MemberDirectory(members), 1);
  private index = 1;

  apply(command: Uint8Array): ApplyResult {
    this.index++;
    return this.state.apply({ index: this.index, term: 1, kind: "command", data: command }, command);
  }

  put(
    key: string,
    value: string,
    more: { readonly lease?: bigint; readonly ignoreValue?: boolean; readonly prevKv?: boolean } = {},
  ): ApplyResult {
    const request = { key: text(key), value: text(value), lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false, ...more };
    return this.apply(encodeRequestCommand("put", encodePutRequest(request)));
  }

  seed(type: "create" | "update" | "remove", key: string, value = ""): ApplyResult {
    const identity = { clientId: 0n, sequence: 0, lowestAwaited: 0 };
    const request =
      type === "remove"
        ? encodeKeyRequest({ key: text(key), ...identity })
        : encodeKeyValueRequest({ key: text(key), value: text(value), ...identity });
    return this.apply(encodeRequestCommand(type, request));
  }

  async snapshot(): Promise<Uint8Array> {
    const image = this.state.snapshot(this.index);
    const chunks: Uint8Array[] = [];
    for await (const chunk of image.chunks()) chunks.push(chunk);
    image.close();
    return Buffer.concat(chunks);
  }
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe("the replicated state", () => {
  test("runs the seed's four operations", () => {
    const replica = new Replica();
    expect(replica.seed("create", "a", "1")).toEqual({ outcome: "created", revision: 2 });
    expect(replica.seed("create", "a", "2")).toEqual({ outcome: "already-exists", revision: 2 });
    expect(replica.seed("update", "a", "3")).toEqual({ outcome: "updated", revision: 3 });
    expect(replica.seed("update", "b", "4")).toEqual({ outcome: "created", revision: 4 });
    expect(replica.seed("remove", "a")).toEqual({ outcome: "removed", revision: 5 });
    expect(replica.seed("remove", "a")).toEqual({ outcome: "not-found", revision: 5 });
  });

  test("runs etcd's put with its flags", () => {
    const replica = new Replica();
    expect(replica.put("a", "1", { prevKv: true })).toEqual({ outcome: "put", revision: 2, previous: null });
    expect(replica.put("a", "2", { prevKv: true })).toMatchObject({ previous: { value: text("1"), version: 1 } });
    expect(replica.put("a", "", { ignoreValue: true })).toMatchObject({ outcome: "put", revision: 4 });
    expect(replica.state.store.get(text("a"))).toMatchObject({ record: { value: text("2"), version: 3 } });
    expect(replica.put("none", "", { ignoreValue: true })).toEqual({ outcome: "refused", reason: "key-not-found" });
    expect(replica.put("a", "3", { lease: 5n })).toEqual({ outcome: "refused", reason: "lease-not-found" });
    expect(replica.state.store.revision).toBe(4);
  });

  test("takes what members say about themselves", () => {
    const replica = new Replica();
    const attributes = { memberId: 7n, name: "n1", clientUrls: ["http://127.0.0.1:2379"], storeId: 5n };
    expect(replica.apply(encodeMemberAttributesCommand(attributes))).toEqual({ outcome: "attributes-set" });
    expect(replica.state.directory.get(7n)?.name).toBe("n1");
    expect(replica.apply(encodeMemberAttributesCommand({ ...attributes, memberId: 8n }))).toMatchObject({ reason: "unknown-member" });
    expect(replica.apply(encodeMemberAttributesCommand({ ...attributes, storeId: 6n }))).toMatchObject({ reason: "store-replaced" });
    expect(replica.state.directory.get(7n)?.storeId).toBe(5n);
  });

  test.each([
    ["nothing", new Uint8Array(0)],
    ["bytes that are no command", new Uint8Array([0xff, 0xff, 0xff])],
    ["a put without a key", encodeRequestCommand("put", new Uint8Array(0))],
  ])("refuses an entry that holds %s, and changes nothing", (_what, command) => {
    const replica = new Replica();
    expect(replica.apply(command)).toEqual({ outcome: "refused", reason: "malformed" });
    expect(replica.state.store.revision).toBe(1);
  });
});

test("a command of a newer version is never skipped", () => {
  const replica = new Replica();
  expect(() => replica.apply(new Uint8Array([0x7a, 0x00]))).toThrow(/Command of field 15 is not known/);
});

describe("a snapshot of the state", () => {
  async function filled(): Promise<Replica> {
    const replica = new Replica();
    replica.apply(encodeMemberAttributesCommand({ memberId: 7n, name: "n1", clientUrls: ["http://127.0.0.1:2379"], storeId: 2n ** 63n }));
    for (let at = 0; at < 500; at++) replica.put(`key-${(at * 37) % 100}`, `value ${at}`);
    return replica;
  }

  test("is the same on every member, and after a restore in pieces of any size", async () => {
    const [one, other] = [await filled(), await filled()];
    const bytes = await one.snapshot();
    expect(await other.snapshot()).toEqual(bytes);
    for (const size of [1, 7, 4096, bytes.length]) {
      const restored = new Replica();
      await restored.state.restore(inPieces(bytes, size));
      expect(await restored.snapshot()).toEqual(bytes);
      expect(restored.state.directory.get(7n)).toMatchObject({ name: "n1", storeId: 2n ** 63n });
      expect(restored.state.store.revision).toBe(one.state.store.revision);
    }
  });

  test("that is cut off or damaged is refused, and the state stays what it was", async () => {
    const bytes = await (await filled()).snapshot();
    const replica = new Replica();
    replica.put("own", "state");
    for (const end of [0, 3, 10, 60, bytes.length - 1]) {
      await expect(replica.state.restore(inPieces(bytes.subarray(0, end), 64))).rejects.toThrow(/cut off/);
    }
    const damaged = bytes.slice();
    damaged.set([0xff, 0xff, 0xff, 0xff], 0);
    await expect(replica.state.restore(inPieces(damaged, 64))).rejects.toThrow(/above the limit/);
    expect(replica.state.store.get(text("own")).outcome).toBe("found");
    expect(replica.state.directory.get(7n)?.name).toBe("");
  });
});
