import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { type AppendEntries, type PeerMessage, votersOnly } from "@raftkv/raft-core";
import { describe, expect, test } from "vitest";
import { PutRequestSchema, PutResponseSchema, RangeRequestSchema } from "../generated/etcdserverpb/kv_pb.ts";
import { CommandSchema } from "../generated/raftkv/command/v1/command_pb.ts";
import { EntryKind, PeerFrameSchema, type PeerMessageSchema } from "../generated/raftkv/peer/v1/peer_pb.ts";
import { ResponseSchema, type Status } from "../generated/raftkv/v1/raftkv_pb.ts";
import {
  decodeCommand,
  encodeMemberAttributesCommand,
  encodeRequestCommand,
  isMemberAttributesCommand,
  UnknownCommandError,
} from "./command.ts";
import { decodePutRequest, decodeRangeRequest } from "./etcd-request.ts";
import { decodePutResponse } from "./etcd-response.ts";
import { BATCH_MESSAGES_MAX, decodePeerFrame, decodeSnapshotFrame, encodePeerFrame } from "./peer-frame.ts";
import { peerMessageBytesMax } from "./peer-message-encoder.ts";
import { decodeRaftKvResponse } from "./raftkv-message.ts";
import { CONFIGURATION_IDS_MAX } from "./snapshot-meta.ts";

const int64Max = 2n ** 63n - 1n;

function batchOf(message: NonNullable<MessageInitShape<typeof PeerMessageSchema>["message"]>): Uint8Array {
  return toBinary(PeerFrameSchema, create(PeerFrameSchema, { frame: { case: "batch", value: { messages: [{ message }] } } }));
}

describe("etcd's messages", () => {
  test("bounds that clients set to the largest int64 become the largest safe integer", () => {
    const bytes = toBinary(RangeRequestSchema, create(RangeRequestSchema, { limit: int64Max, maxModRevision: int64Max, revision: -1n }));
    const request = decodeRangeRequest(bytes);
    expect(request.limit).toBe(Number.MAX_SAFE_INTEGER);
    expect(request.maxModRevision).toBe(Number.MAX_SAFE_INTEGER);
    expect(request.revision).toBe(-1);
  });

  test("a revision beyond the safe integers in a response is refused", () => {
    const bytes = toBinary(PutResponseSchema, create(PutResponseSchema, { header: { revision: int64Max } }));
    expect(() => decodePutResponse(bytes)).toThrow("Integer 9223372036854775807 is not in");
  });

  test("a response without a header reads as one with zeros", () => {
    const header = { clusterId: 0n, memberId: 0n, revision: 0, raftTerm: 0 };
    expect(decodePutResponse(new Uint8Array(0))).toEqual({ header, prevKv: null });
  });

  test("the last of a field that comes twice counts, and embedded messages are merged", () => {
    const twice = new BinaryWriter()
      .uint32(0x0a)
      .bytes(new Uint8Array([1]))
      .uint32(0x0a)
      .bytes(new Uint8Array([2]))
      .finish();
    expect(decodePutRequest(twice).key).toEqual(new Uint8Array([2]));
    const first = toBinary(PutResponseSchema, create(PutResponseSchema, { header: { revision: 5n }, prevKv: { version: 3n } }));
    const second = toBinary(PutResponseSchema, create(PutResponseSchema, { header: { raftTerm: 6n }, prevKv: { lease: -4n } }));
    const merged = decodePutResponse(new Uint8Array([...first, ...second]));
    expect(merged.header).toEqual({ clusterId: 0n, memberId: 0n, revision: 5, raftTerm: 6 });
    expect(merged.prevKv).toMatchObject({ version: 3, lease: -4n });
  });

  test("keys and values are views of the request", () => {
    const bytes = toBinary(PutRequestSchema, create(PutRequestSchema, { key: new Uint8Array([1]), value: new Uint8Array([2]) }));
    const request = decodePutRequest(bytes);
    expect(request.key.buffer).toBe(bytes.buffer);
    expect(request.value.buffer).toBe(bytes.buffer);
  });
});

describe("RaftKV's messages", () => {
  test("a response whose status is missing or unknown is refused", () => {
    expect(() => decodeRaftKvResponse(new Uint8Array(0))).toThrow("Response has status 0, which is not known");
    const bytes = toBinary(ResponseSchema, create(ResponseSchema, { status: 99 as Status }));
    expect(() => decodeRaftKvResponse(bytes)).toThrow("Response has status 99, which is not known");
  });

  test("a command keeps the bytes of the request, unknown fields included", () => {
    const request = new BinaryWriter()
      .uint32(0x0a)
      .bytes(new Uint8Array([1]))
      .uint32(0x7fa)
      .bytes(new Uint8Array(300))
      .finish();
    const command = encodeRequestCommand("put", request);
    expect(command.subarray(command.length - request.length)).toEqual(request);
    expect(command.length).toBe(request.length + 3);
    expect(decodeCommand(command)).toMatchObject({ type: "put", request: { key: new Uint8Array([1]) } });
  });

  test("a command that is empty, not known or not alone is refused", () => {
    const put = encodeRequestCommand("put", new Uint8Array(0));
    expect(() => decodeCommand(new Uint8Array(0))).toThrow("Command of 0 bytes is empty");
    expect(() => decodeCommand(new Uint8Array([...put, ...put]))).toThrow("Command holds field 1 after field 1, one is allowed");
    expect(() => decodeCommand(new Uint8Array([0x7a, 0]))).toThrow(
      new UnknownCommandError("Command of field 15 is not known, it needs a newer version"),
    );
    expect(() => decodeCommand(new Uint8Array([0x08, 0]))).toThrow("Command of field 1 has wire type 0, 2 is expected");
    const unknownOnly = toBinary(CommandSchema, create(CommandSchema, {}));
    expect(() => decodeCommand(unknownOnly)).toThrow("is empty");
  });

  test("a command with attributes of a member is known by its first byte", () => {
    const attributes = encodeMemberAttributesCommand({ memberId: 1n, name: "a", clientUrls: [], storeId: 2n });
    const put = encodeRequestCommand("put", new Uint8Array(0));
    expect([attributes, put, new Uint8Array(0)].map(isMemberAttributesCommand)).toEqual([true, false, false]);
  });
});

describe("peer frames", () => {
  const entry = { index: 8, term: 1, kind: "command" as const, data: new Uint8Array([1]) };
  const append: AppendEntries = { type: "appendEntries", from: 1, to: 2, term: 1, prevIndex: 7, prevTerm: 1, commit: 3, entries: [entry] };

  test("entries with a gap are not written", () => {
    const messages = [{ ...append, entries: [entry, { ...entry, index: 10 }] }];
    expect(() => encodePeerFrame({ type: "batch", messages })).toThrow("Entry 10 stands where entry 9 is expected");
  });

  test("entries that stand before their index on the wire get the right index", () => {
    const body = [0x3a, 0x04, 0x08, 0x01, 0x10, 0x01, 0x20, 0x07];
    const message = [0x2a, body.length, ...body];
    const batch = [0x0a, message.length, ...message];
    const frame = decodePeerFrame(new Uint8Array([0x12, batch.length, ...batch]));
    expect(frame).toMatchObject({ type: "batch", messages: [{ prevIndex: 7, entries: [{ index: 8, term: 1, kind: "command" }] }] });
  });

  test("indexes that would leave the safe integers are refused", () => {
    const value = { prevIndex: BigInt(Number.MAX_SAFE_INTEGER), entries: [{ term: 1n, kind: EntryKind.COMMAND }] };
    expect(() => decodePeerFrame(batchOf({ case: "appendEntries", value }))).toThrow("have indexes above 2^53-1");
  });

  test("terms beyond the safe integers and unknown kinds of entries are refused", () => {
    expect(() => decodePeerFrame(batchOf({ case: "heartbeat", value: { term: 2n ** 53n } }))).toThrow("Integer 9007199254740992");
    const value = { entries: [{ term: 1n, kind: 9 as EntryKind }] };
    expect(() => decodePeerFrame(batchOf({ case: "appendEntries", value }))).toThrow("Entry 1 has kind 9, which is not known");
  });

  test("what says nothing of a repair is without the fields, as from a member of an earlier version", () => {
    const messages: PeerMessage[] = [
      { type: "heartbeat", from: 1, to: 2, term: 3, commit: 4, readPosition: 5 },
      { type: "heartbeatResponse", from: 2, to: 1, term: 3, readPosition: 5 },
      { type: "appendEntriesResponse", from: 2, to: 1, term: 3, index: 4, rejected: false, hintIndex: 0, hintTerm: 0 },
    ];
    expect(decodePeerFrame(encodePeerFrame({ type: "batch", messages }))).toStrictEqual({ type: "batch", messages });
    const target = batchOf({ case: "heartbeat", value: { from: 1n, repairIndex: 9n } });
    expect(decodePeerFrame(target)).not.toHaveProperty("messages[0].repair");
  });

  test("a Hello without a lane, or with one that is not known, is refused", () => {
    expect(() => decodePeerFrame(new Uint8Array([0x0a, 0]))).toThrow("Hello has lane 0, which is not known");
    expect(() => decodeSnapshotFrame(new Uint8Array([0x0a, 2, 0x38, 5]))).toThrow("Hello has lane 5, which is not known");
  });

  test("only commands and configurations are forwarded", () => {
    for (const kind of [EntryKind.UNSPECIFIED, EntryKind.EMPTY, 9 as EntryKind]) {
      expect(() => decodePeerFrame(batchOf({ case: "forwardPropose", value: { kind } }))).toThrow(
        `Forwarded proposal has kind ${kind}, which is not known`,
      );
    }
  });

  test("a configuration has a limit in both directions, all of its lists together", () => {
    const half = Array.from({ length: CONFIGURATION_IDS_MAX / 2 }, (_, at) => at + 1);
    const snapshotOf = (learners: readonly number[]): PeerMessage => {
      const configuration = { ...votersOnly(half), learners };
      return { type: "installSnapshot", from: 1, to: 2, term: 3, snapshot: { index: 4, term: 3, configuration } };
    };
    const most = snapshotOf(half.map((id) => id + 1000));
    expect(decodePeerFrame(encodePeerFrame({ type: "batch", messages: [most] }))).toEqual({ type: "batch", messages: [most] });
    const sentence = "Configuration has more than 480 members";
    expect(() => encodePeerFrame({ type: "batch", messages: [snapshotOf([...half, 0])] })).toThrow(sentence);
    const voters = new Array<bigint>(CONFIGURATION_IDS_MAX + 1).fill(1n);
    const value = { snapshot: { configuration: { voters } } };
    expect(() => decodePeerFrame(batchOf({ case: "installSnapshot", value }))).toThrow(sentence);
    const unpacked = Array.from(voters, () => [0x08, 1]).flat();
    const wrap = (tag: number, bytes: Uint8Array): Uint8Array => new BinaryWriter().uint32(tag).bytes(bytes).finish();
    const frame = [0x1a, 0x22, 0x4a, 0x0a, 0x12].reduce<Uint8Array>((bytes, tag) => wrap(tag, bytes), new Uint8Array(unpacked));
    expect(() => decodePeerFrame(frame)).toThrow(sentence);
  });

  test("frames and messages of no known type, or of two, are refused", () => {
    const hello = [0x0a, 2, 0x38, 1];
    expect(() => decodePeerFrame(new Uint8Array(0))).toThrow("Peer frame of 0 bytes is of no known type");
    expect(() => decodePeerFrame(new Uint8Array([...hello, 0x12, 0]))).toThrow("Peer frame holds field 2 and a hello, one is allowed");
    expect(() => decodePeerFrame(new Uint8Array([0x12, 2, 0x0a, 0]))).toThrow("Peer message is of no known type");
    expect(() => decodePeerFrame(new Uint8Array([0x12, 6, 0x0a, 4, 0x1a, 0, 0x3a, 0]))).toThrow(
      "Peer message holds field 7 and requestVote",
    );
    expect(() => decodeSnapshotFrame(new Uint8Array(0))).toThrow("Snapshot frame of 0 bytes is of no known type");
    expect(() => decodeSnapshotFrame(new Uint8Array([0x1a, 0, 0x1a, 0]))).toThrow(
      "Snapshot frame holds field 3 and a chunk, one is allowed",
    );
  });

  test("a batch has a limit in both directions", () => {
    const message: PeerMessage = { type: "readIndexRequest", from: 1, to: 2, requestId: 3 };
    const most = new Array<PeerMessage>(BATCH_MESSAGES_MAX).fill(message);
    const bytes = encodePeerFrame({ type: "batch", messages: most });
    expect(decodePeerFrame(bytes)).toMatchObject({ messages: { length: BATCH_MESSAGES_MAX } });
    expect(() => encodePeerFrame({ type: "batch", messages: [...most, message] })).toThrow(
      "Batch of 65537 messages is above the limit 65536",
    );
    const body = [0x0a, 0x02, 0x6a, 0x00];
    const tooMany = new Uint8Array(4 + body.length * (BATCH_MESSAGES_MAX + 1));
    tooMany.set(
      new BinaryWriter()
        .uint32(0x12)
        .uint32(tooMany.length - 4)
        .finish(),
    );
    for (let i = 4; i < tooMany.length; i += body.length) tooMany.set(body, i);
    expect(() => decodePeerFrame(tooMany)).toThrow("Batch has more than 65536 messages");
  });

  test("a message of more than 2^20 elements is refused", () => {
    const elementsMax = 1_048_576;
    const payloads = new Uint8Array(2 * (elementsMax + 1));
    for (let i = 0; i < payloads.length; i += 2) payloads[i] = 0x22;
    const message = new BinaryWriter().uint32(0x62).bytes(payloads).finish();
    const batch = new BinaryWriter().uint32(0x0a).bytes(message).finish();
    const frame = new BinaryWriter().uint32(0x12).bytes(batch).finish();
    expect(() => decodePeerFrame(frame)).toThrow("Peer message has more than 1048576 elements");
  });

  test("the bound of a message's size holds", () => {
    const largest = Number.MAX_SAFE_INTEGER;
    const wide = { from: largest, to: largest, term: largest };
    const ids = new Array<number>(9).fill(largest);
    const configuration = { voters: ids, outgoing: ids, learners: ids, learnersNext: ids, autoLeave: true };
    const messages: PeerMessage[] = [
      { ...wide, type: "appendEntriesResponse", index: largest, rejected: true, hintIndex: largest, hintTerm: largest, repairId: largest },
      { ...wide, type: "heartbeat", commit: largest, readPosition: largest, repair: { id: largest, index: largest } },
      { ...wide, type: "requestVote", lastIndex: largest, lastTerm: largest, priority: largest, isTransfer: true },
      { ...wide, type: "installSnapshot", snapshot: { index: largest, term: largest, configuration } },
      { ...wide, type: "forwardPropose", kind: "configuration", payloads: [new Uint8Array(300), new Uint8Array(0)] },
      {
        ...append,
        ...wide,
        prevTerm: largest,
        commit: largest,
        entries: [
          { ...entry, term: largest },
          { ...entry, index: 9, data: new Uint8Array(20_000) },
        ],
      },
    ];
    for (const message of messages) {
      expect(encodePeerFrame({ type: "batch", messages: [message] }).length).toBeLessThanOrEqual(peerMessageBytesMax(message));
    }
  });
});
