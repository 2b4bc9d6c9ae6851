import { Channel, connectTcp, SystemClock } from "@raftkv/raft-rpc";
import { messageBytes, streamPath, unaryPath } from "../echo-service.ts";
import type { EchoClient } from "./echo-client.ts";
import { host } from "./echo-server.ts";

const clock = new SystemClock();
const connectTimeoutMs = 5_000;
const message = new Uint8Array(messageBytes).fill(0x61);
const ignore = (): void => undefined;
const shortAnswer = "The answer is not as long as the request";

/** Ours, by the calls that the hot paths of RaftKV use. */
export function openRaftRpcClient(port: number): EchoClient {
  const channel = new Channel({ connect: () => connectTcp({ host, port }, connectTimeoutMs), authority: `${host}:${port}`, clock });
  return {
    unary: () => (done) => {
      channel.request(unaryPath, message, (error, answer) => done(failureOf(answer, error?.message)));
    },
    stream() {
      let told: (failure: string | null) => void = ignore;
      const call = channel.stream(streamPath, {
        onMetadata: ignore,
        onMessage: (answer) => told(failureOf(answer)),
        onDrain: ignore,
        onClose: (error) => told(error?.message ?? "The stream ended"),
      });
      return (done) => {
        told = done;
        call.send(message);
      };
    },
    close: () => channel.close(),
  };
}

function failureOf(answer: Uint8Array | null, reason = shortAnswer): string | null {
  return answer?.length === messageBytes ? null : reason;
}
