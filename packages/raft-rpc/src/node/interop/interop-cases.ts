import { deepStrictEqual, match, ok } from "node:assert/strict";
import { type MethodKind, methodPath } from "../../grpc/service-definition.ts";
import { StatusCode } from "../../grpc/status.ts";
import type { InteropCall, InteropClient, InteropOutcome } from "./interop-client.ts";
import { interopService } from "./interop-service.ts";

/** One of gRPC's interoperability tests, or one that they lack. Rejects if it fails. */
export interface InteropCase {
  readonly title: string;
  run(client: InteropClient): Promise<void>;
}

const { unaryCall, streamingInputCall, streamingOutputCall, fullDuplexCall, unimplementedCall } = interopService.methods;

/** What a message of the largest size needs on both sides; everything else is below the default. */
export const messageBytesMax = 5 * 1024 * 1024;
const largestBytes = 4 * 1024 * 1024;
const specialMessage = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
const echo = { initial: "test_initial_metadata_value", trailing: [0xab, 0xab, 0xab, 0, 255] };
const sleepMs = 10_000;
const timeoutMs = 100;

function call(
  client: InteropClient,
  method: { readonly name: string; readonly kind: MethodKind },
  requests: InteropCall["requests"],
  options: Omit<InteropCall, "path" | "kind" | "requests"> = {},
): Promise<InteropOutcome> {
  return client.call({ path: methodPath(interopService, method), kind: method.kind, requests, ...options });
}

function succeeded({ code, message, sizes }: InteropOutcome, expected: readonly number[]): void {
  deepStrictEqual({ code, message, sizes }, { code: StatusCode.OK, message: "", sizes: expected });
}

function failed({ code, message }: InteropOutcome, expected: StatusCode, expectedMessage: string): void {
  deepStrictEqual({ code, message }, { code: expected, message: expectedMessage });
}

function body(bytes: number): string {
  return "b".repeat(bytes);
}

export const interopCases: readonly InteropCase[] = [
  {
    title: "empty_unary: no bytes are asked and answered",
    async run(client) {
      succeeded(await call(client, unaryCall, [{}]), [0]);
    },
  },
  {
    title: "large_unary: 271,828 bytes are asked, 314,159 answered",
    async run(client) {
      succeeded(await call(client, unaryCall, [{ sizes: [314_159], body: body(271_828) }]), [314_159]);
    },
  },
  {
    title: "a message of 4 MiB goes each way where both sides allow it",
    async run(client) {
      succeeded(await call(client, unaryCall, [{ sizes: [largestBytes], body: body(largestBytes) }]), [largestBytes]);
    },
  },
  {
    title: "client_streaming: all requests are received",
    async run(client) {
      const requests = [27_182, 8, 1_828, 45_904].map((size) => ({ body: body(size) }));
      deepStrictEqual((await call(client, streamingInputCall, requests)).text, "74922");
    },
  },
  {
    title: "server_streaming: all responses come in order",
    async run(client) {
      const sizes = [31_415, 9, 2_653, 58_979];
      succeeded(await call(client, streamingOutputCall, [{ sizes }]), sizes);
    },
  },
  {
    title: "server_streaming: more comes than all windows hold",
    async run(client) {
      const sizes = Array.from({ length: 20 }, (_, place) => 500_000 + place);
      succeeded(await call(client, streamingOutputCall, [{ sizes }]), sizes);
    },
  },
  {
    title: "ping_pong: each request waits for the answer to the last",
    async run(client) {
      const rounds = [
        [27_182, 31_415],
        [8, 9],
        [1_828, 2_653],
        [45_904, 58_979],
      ] as const;
      const requests = rounds.map(([sent, received]) => ({ sizes: [received], body: body(sent) }));
      const outcome = await call(client, fullDuplexCall, requests, { pingPong: true });
      succeeded(
        outcome,
        rounds.map(([, received]) => received),
      );
    },
  },
  {
    title: "empty_stream: neither requests nor responses",
    async run(client) {
      succeeded(await call(client, fullDuplexCall, []), []);
    },
  },
  ...[unaryCall, fullDuplexCall].map(
    (method): InteropCase => ({
      title: `custom_metadata: text before, bytes behind the responses of ${method.name}`,
      async run(client) {
        const outcome = await call(client, method, [{ sizes: [314_159] }], { echo });
        succeeded(outcome, [314_159]);
        deepStrictEqual({ initial: outcome.initial, trailing: outcome.trailing }, echo);
      },
    }),
  ),
  ...[unaryCall, streamingInputCall, streamingOutputCall, fullDuplexCall].map(
    (method): InteropCase => ({
      title: `status_code_and_message: ${method.name} ends with what was asked`,
      async run(client) {
        const status = { code: StatusCode.UNKNOWN, message: "test status message" };
        failed(await call(client, method, [{ status }]), status.code, status.message);
      },
    }),
  ),
  {
    title: "special_status_message: any character arrives as it was",
    async run(client) {
      failed(await call(client, unaryCall, [{ status: { code: 2, message: specialMessage } }]), StatusCode.UNKNOWN, specialMessage);
    },
  },
  {
    title: "unimplemented_method and unimplemented_service: UNIMPLEMENTED",
    async run(client) {
      deepStrictEqual((await call(client, unimplementedCall, [{}])).code, StatusCode.UNIMPLEMENTED);
      const nobody = await client.call({ path: "/interop.Nobody/Call", kind: "unary", requests: [{}] });
      deepStrictEqual(nobody.code, StatusCode.UNIMPLEMENTED);
    },
  },
  {
    title: "cancel_after_begin: a call without an answer is cancelled",
    async run(client) {
      const { code, sizes } = await call(client, streamingInputCall, [{ body: "b" }], { cancelAfter: 0 });
      deepStrictEqual({ code, sizes }, { code: StatusCode.CANCELLED, sizes: [] });
    },
  },
  {
    title: "cancel_after_first_response: the rest is not waited for",
    async run(client) {
      const { code, sizes } = await call(client, fullDuplexCall, [{ sizes: [31_415] }, { sleepMs }], { pingPong: true, cancelAfter: 1 });
      deepStrictEqual({ code, sizes }, { code: StatusCode.CANCELLED, sizes: [31_415] });
    },
  },
  ...[unaryCall, streamingInputCall, streamingOutputCall, fullDuplexCall].map(
    (method): InteropCase => ({
      title: `timeout_on_sleeping_server: ${method.name} ends with DEADLINE_EXCEEDED`,
      async run(client) {
        const startMs = performance.now();
        const { code, message } = await call(client, method, [{ sleepMs }], { timeoutMs });
        deepStrictEqual(code, StatusCode.DEADLINE_EXCEEDED);
        match(message, /deadline exceeded/i);
        ok(performance.now() - startMs < sleepMs, "The deadline is not waited out");
      },
    }),
  ),
  {
    title: "the connection works after all this",
    async run(client) {
      const calls = Array.from({ length: 20 }, (_, place) => call(client, unaryCall, [{ sizes: [place] }]));
      for (const [place, outcome] of (await Promise.all(calls)).entries()) succeeded(outcome, [place]);
    },
  },
];
