import { CodecError } from "@raftkv/api";
import { StatusCode, type UnaryCall } from "@raftkv/raft-rpc";

/**
 * Runs `answer`, which builds and sends the answer of a call. It may come from the middle of the node's turn, where nothing must
 * throw and no call be forgotten: an answer that does not fit into memory or a message is an error of its call.
 */
export function answering(call: UnaryCall, answer: () => void): void {
  try {
    answer();
  } catch (error) {
    if (error instanceof RangeError || error instanceof CodecError) {
      call.fail(StatusCode.RESOURCE_EXHAUSTED, "raftkv: the answer is too large, ask for less with a limit");
    } else {
      call.failWith(error);
    }
  }
}
