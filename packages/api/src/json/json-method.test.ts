import { create, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AuthUserAddRequestSchema } from "../generated/etcdserverpb/auth_pb.ts";
import { Cluster, MemberListResponseSchema } from "../generated/etcdserverpb/cluster_pb.ts";
import {
  KV,
  RangeRequest_SortOrder,
  RangeRequestSchema,
  RangeResponseSchema,
  TxnRequestSchema,
  TxnResponseSchema,
} from "../generated/etcdserverpb/kv_pb.ts";
import { Lease } from "../generated/etcdserverpb/lease_pb.ts";
import { AlarmResponseSchema, AlarmType, Maintenance } from "../generated/etcdserverpb/maintenance_pb.ts";
import { Watch, WatchRequestSchema, WatchResponseSchema } from "../generated/etcdserverpb/watch_pb.ts";
import { Event_EventType } from "../generated/mvccpb/kv_pb.ts";
import { clientServices } from "../service/client-services.ts";
import { jsonMethod } from "./json-method.ts";
import { parseJson, readJsonValue } from "./json-parser.ts";
import { JsonError } from "./json-value.ts";
import { messageFromJson } from "./message-reader.ts";
import { messageToJson } from "./message-writer.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const range = (json: string) => fromBinary(RangeRequestSchema, jsonMethod(KV.method.range).encodeRequest(parseJson(json)));

test("a method has its path on the wire and its kind", () => {
  const { path, kind } = jsonMethod(Watch.method.watch);
  expect([path, kind]).toEqual(["/etcdserverpb.Watch/Watch", "bidi_streaming"]);
});

describe("a request", () => {
  test("has fields by their own names and in lowerCamelCase, the latter first", () => {
    expect(range('{"key":"Zm9v","range_end":"AA==","sortOrder":"DESCEND","limit":"3"}')).toEqual(
      create(RangeRequestSchema, { key: bytes("foo"), rangeEnd: new Uint8Array(1), sortOrder: RangeRequest_SortOrder.DESCEND, limit: 3n }),
    );
    expect(range('{"key":"Zm9v","keys_only":false,"keysOnly":true}').keysOnly).toBe(true);
  });

  test("passes over unknown fields, null is as if absent", () => {
    expect(range('{"Key":"Zm9v","unknown":{"a":[1,{"b":2}]},"limit":null}')).toEqual(create(RangeRequestSchema));
    expect(jsonMethod(KV.method.range).encodeRequest(null)).toHaveLength(0);
  });

  test("has integers as numbers and strings, none rounded", () => {
    const grant = (json: string) => jsonMethod(Lease.method.leaseGrant).encodeRequest(parseJson(json));
    expect(grant('{"TTL":100,"ID":1234567890123456789}')).toEqual(grant('{"TTL":"100","ID":"1234567890123456789"}'));
    const remove = (json: string) => jsonMethod(Cluster.method.memberRemove).encodeRequest(parseJson(json));
    expect(remove('{"ID":18446744073709551615}')).toEqual(new Uint8Array([8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]));
    expect(range('{"limit":" 1 "}').limit).toBe(1n);
  });

  test("has enums as names and numbers, known or not", () => {
    expect([range('{"sort_order":"ASCEND"}').sortOrder, range('{"sort_order":2}').sortOrder]).toEqual([1, 2]);
    expect(range('{"sort_order":7}').sortOrder).toBe(7);
  });

  test.each([
    ["with padding", '"Zm8="'],
    ["without", '"Zm8"'],
    ["with an escaped letter and a line break", '"Zm\\u0038\\n="'],
  ])("has bytes in base64 %s", (_, json) => {
    expect(range(`{"key":${json}}`).key).toEqual(bytes("fo"));
  });

  test("has bytes in both alphabets", () => {
    expect([range('{"key":"-_8"}').key, range('{"key":"+/8="}').key]).toEqual([new Uint8Array([251, 255]), new Uint8Array([251, 255])]);
  });

  test.each<[string, string]>([
    ["[]", "json: cannot unmarshal array into Go value of type map[string]json.RawMessage"],
    ["5", "json: cannot unmarshal number into Go value of type map[string]json.RawMessage"],
    ['{"key":"Zm9vA"}', "illegal base64 data at input byte 4"],
    ['{"key":"!!!!"}', "illegal base64 data at input byte 0"],
    ['{"key":5}', "json: cannot unmarshal number into Go value of type []uint8"],
    ['{"limit":1.5}', "json: cannot unmarshal number 1.5 into Go value of type int64"],
    ['{"limit":9223372036854775808}', "json: cannot unmarshal number 9223372036854775808 into Go value of type int64"],
    ['{"limit":"x"}', "invalid character 'x' looking for beginning of value"],
    ['{"limit":""}', "unexpected end of JSON input"],
    ['{"limit":"01"}', "invalid character '1' after top-level value"],
    ['{"limit":true}', "json: cannot unmarshal bool into Go value of type int64"],
    ['{"limit":{}}', "json: cannot unmarshal object into Go value of type int64"],
    ['{"serializable":"true"}', "json: cannot unmarshal string into Go value of type bool"],
    ['{"sort_order":"XX"}', 'unknown value "XX" for enum etcdserverpb.RangeRequest_SortOrder'],
    ['{"sort_order":"2"}', 'unknown value "2" for enum etcdserverpb.RangeRequest_SortOrder'],
    ['{"sort_order":1.5}', "json: cannot unmarshal number 1.5 into Go value of type etcdserverpb.RangeRequest_SortOrder"],
  ])("is refused in etcd's words: %s", (json, sentence) => {
    expect(() => range(json)).toThrow(new JsonError(sentence));
  });

  test.each<[string, string]>([
    ['{"compare":{}}', "json: cannot unmarshal object into Go value of type []json.RawMessage"],
    ['{"success":[5]}', "json: cannot unmarshal number into Go value of type map[string]json.RawMessage"],
    ['{"compare":[null]}', "json: cannot unmarshal null into Go value of type map[string]json.RawMessage"],
    ['{"success":[{"request_put":{},"request_range":{}}]}', "oneof etcdserverpb.RequestOp.request is already set, request_put is too much"],
  ])("with lists and alternatives, too: %s", (json, sentence) => {
    expect(() => messageFromJson(TxnRequestSchema, readJsonValue(json))).toThrow(new JsonError(sentence));
  });

  test("has text whose halves of surrogate pairs are replaced", () => {
    const message = messageFromJson(AuthUserAddRequestSchema, parseJson('{"name":"a\\ud800b\\ud83d\\ude00"}'));
    expect(message.name).toBe("a\ufffdb\u{1f600}");
    expect(toBinary(AuthUserAddRequestSchema, message)).toHaveLength(11);
  });

  test("chooses an alternative by its name, also by an empty object", () => {
    expect(messageFromJson(WatchRequestSchema, parseJson('{"progress_request":{}}')).requestUnion.case).toBe("progressRequest");
    expect(messageFromJson(TxnRequestSchema, parseJson('{"success":[{"request_put":null}]}')).success[0]?.request.case).toBeUndefined();
  });
});

describe("a response", () => {
  test("has the names of the definition, strings for 64 bits, and no zeros", () => {
    const header = { clusterId: 2n ** 64n - 1n, memberId: 2n, revision: 3n, raftTerm: 4n };
    const kvs = [{ key: bytes("foo"), createRevision: 1n, modRevision: 2n, version: 1n, value: bytes(""), lease: 0n }];
    const method = jsonMethod(KV.method.range);
    expect(method.responseToJson(toBinary(RangeResponseSchema, create(RangeResponseSchema, { header, kvs, count: 1n })))).toBe(
      '{"header":{"cluster_id":"18446744073709551615","member_id":"2","revision":"3","raft_term":"4"},' +
        '"kvs":[{"key":"Zm9v","create_revision":"1","mod_revision":"2","version":"1"}],"count":"1"}',
    );
    const members = [{ ID: 1n, name: 'a"b', peerURLs: ["http://a:1"], clientURLs: [], isLearner: true }];
    expect(messageToJson(MemberListResponseSchema, create(MemberListResponseSchema, { members }))).toBe(
      '{"members":[{"ID":"1","name":"a\\"b","peerURLs":["http://a:1"],"isLearner":true}]}',
    );
  });

  test("has names for enums, a number without a name stays one", () => {
    const alarms = [{ memberID: 0n, alarm: AlarmType.NOSPACE }, { alarm: 99 as AlarmType }, {}];
    const message = toBinary(AlarmResponseSchema, create(AlarmResponseSchema, { alarms }));
    expect(jsonMethod(Maintenance.method.alarm).responseToJson(message)).toBe('{"alarms":[{"alarm":"NOSPACE"},{"alarm":99},{}]}');
  });

  test("shows an empty message that is there", () => {
    const responses = [{ response: { case: "responseTxn" as const, value: create(TxnResponseSchema, { header: {} }) } }];
    expect(messageToJson(TxnResponseSchema, create(TxnResponseSchema, { responses }))).toBe(
      '{"responses":[{"response_txn":{"header":{}}}]}',
    );
  });

  test("leaves the type of a put away, as its value is zero", () => {
    const events = [
      { type: Event_EventType.PUT, kv: { key: bytes("a") } },
      { type: Event_EventType.DELETE, kv: { key: bytes("a") } },
    ];
    expect(messageToJson(WatchResponseSchema, create(WatchResponseSchema, { watchId: -1n, events }))).toBe(
      '{"watch_id":"-1","events":[{"kv":{"key":"YQ=="}},{"type":"DELETE","kv":{"key":"YQ=="}}]}',
    );
  });
});

test("a message goes to JSON and back", () => {
  const key = fc.uint8Array({ maxLength: 20 });
  const integer = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const put = fc.record({ key, value: key, lease: integer, prevKv: fc.boolean() });
  const compare = fc.record({ result: fc.nat(3), target: fc.nat(4), key, rangeEnd: key });
  const request = fc.record({
    compare: fc.array(compare, { maxLength: 3 }),
    success: fc.array(
      put.map((value) => ({ request: { case: "requestPut" as const, value } })),
      { maxLength: 3 },
    ),
  });
  const there = (schema: DescMessage, json: string): Uint8Array => toBinary(schema, messageFromJson(schema, parseJson(json)));
  fc.assert(
    fc.property(request, (init) => {
      const message = create(TxnRequestSchema, init as Parameters<typeof create<typeof TxnRequestSchema>>[1]);
      expect(there(TxnRequestSchema, messageToJson(TxnRequestSchema, message))).toEqual(toBinary(TxnRequestSchema, message));
    }),
  );
});

describe("whatever a client sends", () => {
  const methods = clientServices.flatMap((service) => service.methods);
  const names = [...new Set(methods.flatMap(({ input }) => namesIn(input)))];
  const leaf = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("", "AA==", "DESCEND", "\ud800", "-1", "1e400", "null", "18446744073709551616"),
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      leaf,
      fc.dictionary(fc.constantFrom(...names), tie("value"), { maxKeys: 4 }),
      fc.array(tie("value"), { maxLength: 3 }),
    ),
  }));

  /** Of the fields of a message and of those that it holds. */
  function namesIn(message: DescMessage, seen = new Set<DescMessage>()): string[] {
    if (seen.has(message)) return [];
    seen.add(message);
    return message.fields.flatMap((field) => [
      field.name,
      field.jsonName,
      ...(field.message === undefined ? [] : namesIn(field.message, seen)),
    ]);
  }

  test("is a request or refused with a JsonError, and a request is what its own JSON stands for", () => {
    fc.assert(
      fc.property(fc.constantFrom(...methods), value, (method, json) => {
        const message = refusedAsNull(() => jsonMethod(method).encodeRequest(readJsonValue(JSON.stringify(json))));
        if (message === null) return;
        const written = messageToJson(method.input, fromBinary(method.input, message));
        expect(jsonMethod(method).encodeRequest(readJsonValue(written))).toEqual(message);
      }),
      { numRuns: 3_000 },
    );
  });

  test("cut anywhere or damaged is refused with a JsonError, or something else", () => {
    fc.assert(
      fc.property(fc.constantFrom(...methods), value, fc.nat(), fc.string({ maxLength: 2 }), (method, json, place, damage) => {
        const text = JSON.stringify(json);
        const at = place % (text.length + 1);
        for (const broken of [text.slice(0, at), text.slice(0, at) + damage + text.slice(at + 1)]) {
          refusedAsNull(() => jsonMethod(method).encodeRequest(readJsonValue(broken)));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  function refusedAsNull(read: () => Uint8Array): Uint8Array | null {
    try {
      return read();
    } catch (error) {
      // Anything else fails the property.
      if (!(error instanceof JsonError)) throw error;
      return null;
    }
  }
});
