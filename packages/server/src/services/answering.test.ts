import { CodecError } from "@raftkv/api";
import { StatusCode, type UnaryCall } from "@raftkv/raft-rpc";
import { expect, test } from "vitest";
import { answering } from "./answering.ts";

function recordedCall(): { readonly call: UnaryCall; readonly seen: unknown[] } {
  const seen: unknown[] = [];
  const call: UnaryCall = {
    path: "/etcdserverpb.KV/Range",
    metadata: { get: () => undefined } as unknown as UnaryCall["metadata"],
    authority: "",
    remoteAddress: "",
    peer: null,
    deadlineMs: Number.POSITIVE_INFINITY,
    cancelled: false,
    onCancel: null,
    respond: (message) => void seen.push(message),
    fail: (code, message) => void seen.push([code, message]),
    failWith: (reason) => void seen.push(reason),
    sendMetadata: () => {},
  };
  return { call, seen };
}

test("an answer that can be built is left alone", () => {
  const { call, seen } = recordedCall();
  const answer = new Uint8Array([1]);
  answering(call, () => call.respond(answer));
  expect(seen).toEqual([answer]);
});

test.each([new RangeError("Array buffer allocation failed"), new CodecError("Message is above 2^31 bytes")])(
  "an answer that does not fit is an error of its call: %s",
  (reason) => {
    const { call, seen } = recordedCall();
    answering(call, () => {
      throw reason;
    });
    expect(seen).toEqual([[StatusCode.RESOURCE_EXHAUSTED, "raftkv: the answer is too large, ask for less with a limit"]]);
  },
);

test("any other mistake ends the call too, and is passed on to be written down", () => {
  const { call, seen } = recordedCall();
  const reason = new Error("Assertion failed: a view is used only while its record is visited");
  answering(call, () => {
    throw reason;
  });
  expect(seen).toEqual([reason]);
});
