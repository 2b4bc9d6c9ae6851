import type { SnapshotFrame } from "@raftkv/api";
import type { PeerTransportHandlers } from "@raftkv/raft-node";
import { RpcError, StatusCode } from "@raftkv/raft-rpc";
import { nodeIdOf } from "../cluster/identity.ts";
import type { MemberStores } from "../cluster/member-stores.ts";
import { helloRefusal, type PeerIdentity } from "./peer-identity.ts";

export interface IncomingSnapshotOptions {
  readonly self: PeerIdentity;
  readonly stores: MemberStores;
  readonly handlers: PeerTransportHandlers;
}

/** Takes a snapshot from its leader: a Hello, the message, the chunks. Returns the index of what was stored; throws RpcError. */
export async function receiveSnapshot(frames: AsyncIterable<SnapshotFrame>, options: IncomingSnapshotOptions): Promise<number> {
  const { self, stores, handlers } = options;
  const iterator = frames[Symbol.asyncIterator]();
  const { hello } = await next(iterator, "hello");
  const refusal = helloRefusal(hello, self, stores, ["snapshot"]);
  if (refusal?.kind === "store_lost") handlers.onStoreLost(nodeIdOf(hello.fromMember));
  if (refusal !== null) throw new RpcError(StatusCode.FAILED_PRECONDITION, refusal.reason);
  const { message, sizeBytes } = await next(iterator, "message");
  if (message.from !== nodeIdOf(hello.fromMember) || message.to !== nodeIdOf(self.memberId)) {
    throw new RpcError(StatusCode.INVALID_ARGUMENT, `a snapshot from ${message.from} to ${message.to} does not belong on this stream`);
  }
  await handlers.onSnapshot(message, chunksOf(iterator, sizeBytes));
  return message.snapshot.index;
}

async function next<Type extends SnapshotFrame["type"]>(
  iterator: AsyncIterator<SnapshotFrame>,
  type: Type,
): Promise<Extract<SnapshotFrame, { readonly type: Type }>> {
  const result = await iterator.next();
  if (result.done === true) throw new RpcError(StatusCode.INVALID_ARGUMENT, `the stream ended before its ${type}`);
  if (!isOfType(result.value, type)) throw new RpcError(StatusCode.INVALID_ARGUMENT, `a ${result.value.type} came instead of a ${type}`);
  return result.value;
}

function isOfType<Type extends SnapshotFrame["type"]>(
  frame: SnapshotFrame,
  type: Type,
): frame is Extract<SnapshotFrame, { readonly type: Type }> {
  return frame.type === type;
}

/** Throws if more or fewer bytes come than were announced: a transfer that was cut off must not pass for a whole one. */
async function* chunksOf(iterator: AsyncIterator<SnapshotFrame>, sizeBytes: number): AsyncIterable<Uint8Array> {
  let received = 0;
  for (let result = await iterator.next(); result.done !== true; result = await iterator.next()) {
    const frame = result.value;
    if (frame.type !== "chunk") throw new RpcError(StatusCode.INVALID_ARGUMENT, `a ${frame.type} came instead of a chunk`);
    received += frame.chunk.length;
    if (received > sizeBytes) throw new RpcError(StatusCode.INVALID_ARGUMENT, `more than the announced ${sizeBytes} bytes came`);
    yield frame.chunk;
  }
  if (received < sizeBytes) throw new RpcError(StatusCode.INVALID_ARGUMENT, `${received} of ${sizeBytes} bytes came`);
}
