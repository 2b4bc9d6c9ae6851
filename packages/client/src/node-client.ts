import { MessageChannel, type MessagePort } from "node:worker_threads";
import { connectTcp, SystemClock, SystemRandom } from "@raftkv/raft-rpc";
import type { ClientSettings } from "./client-options.ts";
import { RaftKVClient } from "./raftkv-client.ts";

/**
 * A client on real sockets, time and chance. Returns at once; the first call connects. Throws RangeError if an endpoint or a number is wrong.
 *
 * ```ts
 * const client = connectClient({ endpoints: ["127.0.0.1:2379"] });
 * await client.update("hello", "world");
 * client.close();
 * ```
 */
export function connectClient(settings: ClientSettings): RaftKVClient {
  return new RaftKVClient({
    ...settings,
    connect: connectTcp,
    clock: new SystemClock(),
    random: new SystemRandom(),
    onBusy: processHold(),
  });
}

/** Keeps the process alive while it is told true: timers of the clock do not, and between two attempts there is nothing else. */
function processHold(): (busy: boolean) => void {
  let hold: MessagePort | null = null;
  return (busy) => {
    hold?.close();
    hold = busy ? new MessageChannel().port1 : null;
    hold?.ref();
  };
}
