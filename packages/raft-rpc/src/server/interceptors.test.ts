import { describe, expect, test } from "vitest";
import type { CallSummary } from "../grpc/call-tally.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { StatusCode } from "../grpc/status.ts";
import { Flag } from "../http2/frame.ts";
import { ascii, grpcMessage, grpcRequestFields } from "../testing/raw-peer.ts";
import { startServer } from "../testing/server-fixture.ts";
import type { CallInfo, StreamCall } from "./call.ts";
import type { ServerInterceptor } from "./server-interceptor.ts";

const body = ascii("hello");
const end = Flag.END_STREAM;

function observer(seen: unknown[]): ServerInterceptor {
  return {
    observe: (call) => {
      seen.push(`begin ${call.path}`);
      return (summary: CallSummary) => seen.push(summary);
    },
  };
}

/** Lets a call in, or not, when the test says so. */
function gate(): { readonly interceptor: ServerInterceptor; open(): void; shut(reason: unknown): void } {
  let resolve: () => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const admit = (): Promise<void> =>
    new Promise((onOpen, onShut) => {
      resolve = onOpen;
      reject = onShut;
    });
  return { interceptor: { admit }, open: () => resolve(), shut: (reason) => reject(reason) };
}

describe("an observer", () => {
  test("is told of status, duration, messages and bytes", () => {
    const seen: unknown[] = [];
    const { clock, startedPeer, dispatcher } = startServer({ interceptors: [observer(seen)] });
    dispatcher.addStream("/x.Y/Three", (call) => {
      call.setHandlers({ onMessage: () => {}, onEnd: () => call.end(), onCancel: () => {}, onDrain: () => {} });
      for (let count = 0; count < 3; count++) call.send(body);
    });
    const peer = startedPeer();
    peer.send(peer.headers(1, grpcRequestFields("/x.Y/Three")), peer.data(1, grpcMessage(new Uint8Array(7))));
    clock.advance(250);
    peer.send(peer.data(1, new Uint8Array(0), end));
    clock.settle();
    expect(seen).toEqual(["begin /x.Y/Three", { code: 0, durationMs: 250, requests: 1, requestBytes: 7, responses: 3, responseBytes: 15 }]);
  });

  test.each([
    ["a handler that fails", StatusCode.UNKNOWN],
    ["a deadline", StatusCode.DEADLINE_EXCEEDED],
    ["a client that goes", StatusCode.CANCELLED],
    ["a refusal", StatusCode.UNAUTHENTICATED],
  ])("is told once of %s", (what, code) => {
    const seen: unknown[] = [];
    const refusing: ServerInterceptor = {
      admit: () => {
        if (what === "a refusal") throw new RpcError(StatusCode.UNAUTHENTICATED, "no token");
      },
    };
    const { clock, startedPeer, dispatcher } = startServer({ interceptors: [observer(seen), refusing] });
    dispatcher.addUnary("/x.Y/Call", () => {
      if (what === "a handler that fails") throw new Error("broken");
    });
    const peer = startedPeer();
    peer.send(...peer.unary(1, "/x.Y/Call", body, [["grpc-timeout", "1S"]]));
    clock.settle();
    if (what === "a client that goes") peer.stream.destroy();
    clock.advance(5000);
    expect(seen.slice(1)).toMatchObject([{ code }]);
  });

  test("that throws harms neither the call nor other observers", () => {
    const seen: unknown[] = [];
    const throwing: ServerInterceptor = {
      observe: () => () => {
        throw new Error("metrics broke");
      },
    };
    const { clock, startedPeer, reports } = startServer({ interceptors: [throwing, observer(seen)] });
    const peer = startedPeer();
    peer.send(...peer.unary(1, "/x.Y/Echo", body));
    clock.settle();
    expect([peer.status(1), seen.length, reports]).toEqual(["0", 2, ["/x.Y/Echo: metrics broke"]]);
  });
});

describe("an interceptor that admits", () => {
  test("sees the call, and its refusal is the answer, before the handler runs", () => {
    const seen: string[] = [];
    const interceptor: ServerInterceptor = {
      admit: (call: CallInfo) => {
        if (call.metadata.get("token") !== "right") throw new RpcError(StatusCode.UNAUTHENTICATED, `no entry to ${call.path}`);
      },
    };
    const { clock, startedPeer, dispatcher, server } = startServer({ interceptors: [interceptor] });
    dispatcher.addUnary("/x.Y/Secret", (message, call) => {
      seen.push("ran");
      call.respond(message);
    });
    const peer = startedPeer();
    peer.send(...peer.unary(1, "/x.Y/Secret", body), ...peer.unary(3, "/x.Y/Secret", body, [["token", "right"]]));
    clock.settle();
    expect([peer.status(1), peer.statusMessage(1), peer.status(3), seen]).toEqual(["16", "no entry to /x.Y/Secret", "0", ["ran"]]);
    expect([server.counters.limits.refusedByInterceptor, server.counters.callsByStatus[16]]).toEqual([1, 1]);
  });

  test("may take its time: messages wait, then come in order", async () => {
    const { interceptor, open } = gate();
    const { clock, startedPeer, dispatcher, server } = startServer({ interceptors: [interceptor] });
    const seen: string[] = [];
    dispatcher.addStream("/x.Y/Stream", (call) => {
      seen.push("ran");
      call.setHandlers({
        onMessage: (message) => seen.push(`message of ${message.length}`),
        onEnd: () => {
          seen.push("end");
          call.end();
        },
        onCancel: () => {},
        onDrain: () => {},
      });
    });
    const peer = startedPeer();
    peer.send(
      peer.headers(1, grpcRequestFields("/x.Y/Stream")),
      peer.data(1, grpcMessage(body)),
      peer.data(1, grpcMessage(new Uint8Array(2)), end),
    );
    await clock.settleAsync();
    expect([seen, server.counters.handlersRunning]).toEqual([[], 1]);
    open();
    await clock.settleAsync();
    expect([seen, peer.status(1)]).toEqual([["ran", "message of 5", "message of 2", "end"], "0"]);
    expect(server.counters.handlersRunning).toBe(0);
  });

  test.each(["/x.Y/Echo", "/x.Y/Ends"])("may take its time with %s, whose input is complete meanwhile", async (path) => {
    const { interceptor, open } = gate();
    const { clock, startedPeer, dispatcher } = startServer({ interceptors: [interceptor] });
    dispatcher.addStream("/x.Y/Ends", (call) => {
      call.setHandlers({ onMessage: () => {}, onEnd: () => call.end(), onCancel: () => {}, onDrain: () => {} });
    });
    const peer = startedPeer();
    const data = path === "/x.Y/Echo" ? grpcMessage(body) : new Uint8Array(0);
    peer.send(peer.headers(1, grpcRequestFields(path)), peer.data(1, data, end));
    await clock.settleAsync();
    expect(peer.status(1)).toBe(null);
    open();
    await clock.settleAsync();
    expect(peer.status(1)).toBe("0");
  });

  test("does not undo the pause of a handler that it let in", async () => {
    const { interceptor, open } = gate();
    const { clock, startedPeer, dispatcher } = startServer({ interceptors: [interceptor] });
    const calls: StreamCall[] = [];
    const seen: string[] = [];
    dispatcher.addStream("/x.Y/Paused", (call) => {
      calls.push(call);
      call.setHandlers({ onMessage: () => seen.push("message"), onEnd: () => seen.push("end"), onCancel: () => {}, onDrain: () => {} });
      call.pause();
    });
    const peer = startedPeer();
    peer.send(peer.headers(1, grpcRequestFields("/x.Y/Paused")), peer.data(1, grpcMessage(body), end));
    await clock.settleAsync();
    open();
    await clock.settleAsync();
    expect(seen).toEqual([]);
    calls[0]?.resume();
    expect(seen).toEqual(["message", "end"]);
  });

  test("is asked only when those before it have let the call in", async () => {
    const first = gate();
    const asked: string[] = [];
    const { clock, startedPeer } = startServer({ interceptors: [first.interceptor, { admit: () => void asked.push("second") }] });
    const peer = startedPeer();
    peer.send(...peer.unary(1, "/x.Y/Echo", body), ...peer.unary(3, "/x.Y/Echo", body));
    await clock.settleAsync();
    expect(asked).toEqual([]);
    // The gate is that of the call that came last.
    first.open();
    await clock.settleAsync();
    expect([asked, peer.status(1), peer.status(3)]).toEqual([["second"], null, "0"]);
  });

  test("may refuse later, with metadata and details", async () => {
    const { interceptor, shut } = gate();
    const { clock, startedPeer, server } = startServer({ interceptors: [interceptor] });
    const peer = startedPeer();
    peer.send(...peer.unary(1, "/x.Y/Echo", body));
    await clock.settleAsync();
    shut(new RpcError(StatusCode.PERMISSION_DENIED, "not you", { details: [{ typeUrl: "t", value: body }] }));
    await clock.settleAsync();
    expect(peer.ofStream(1).map(({ headers }) => headers["grpc-status-details-bin"])).toEqual([
      Buffer.from(Uint8Array.of(8, 7, 0x12, 7, ...ascii("not you"), 0x1a, 10, 10, 1, 0x74, 0x12, 5, ...body))
        .toString("base64")
        .replaceAll("=", ""),
    ]);
    expect(server.counters.handlersRunning).toBe(0);
  });

  test("that fails itself is reported, and the client sees only UNKNOWN", async () => {
    const { interceptor, shut } = gate();
    const { clock, startedPeer, reports } = startServer({ interceptors: [interceptor] });
    const peer = startedPeer();
    peer.send(...peer.unary(1, "/x.Y/Echo", body));
    await clock.settleAsync();
    shut(new TypeError("secret"));
    await clock.settleAsync();
    expect([peer.status(1), peer.statusMessage(1), reports]).toEqual(["2", "handler failed", ["/x.Y/Echo: secret"]]);
  });

  test.each(["open", "shut"] as const)("is not heard after the deadline (%s)", async (answer) => {
    const { interceptor, open, shut } = gate();
    const { clock, startedPeer, dispatcher, server } = startServer({ interceptors: [interceptor] });
    let ran = 0;
    dispatcher.addUnary("/x.Y/Late", () => ran++);
    const peer = startedPeer();
    peer.send(...peer.unary(1, "/x.Y/Late", body, [["grpc-timeout", "100m"]]));
    await clock.settleAsync();
    clock.advance(200);
    expect([peer.status(1), server.counters.handlersRunning]).toEqual(["4", 1]);
    if (answer === "open") open();
    else shut(new RpcError(StatusCode.UNAUTHENTICATED, "late"));
    await clock.settleAsync();
    expect([ran, server.counters.handlersRunning, peer.ofStream(1).length]).toEqual([0, 0, 1]);
  });
});
