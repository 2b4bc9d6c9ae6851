import { create, v3lockpb } from "@raftkv/api";
import type { ServiceImpl } from "@raftkv/raft-rpc";
import type { ServiceContext } from "../service-context.ts";
import { headerMessage } from "./header-message.ts";
import { lockError, withLockErrors } from "./lock-error.ts";
import type { LockQueue } from "./lock-queue.ts";

const noBytes = new Uint8Array(0);

/** `v3lockpb.Lock`: a lock is held as long as its key is there, at most as long as the lease that it belongs to. */
export function lockService(context: ServiceContext, queue: LockQueue): ServiceImpl<typeof v3lockpb.lockService> {
  const { LockResponseSchema, UnlockResponseSchema } = v3lockpb;
  return {
    lock: ({ name, lease }, call) =>
      withLockErrors(async () => {
        const { place } = await queue.enter(name, await queue.leaseFor(lease), noBytes);
        if ((await queue.waitForTurn(name, place, call.signal)) === "gone") throw lockError("mutex: session is expired");
        return create(LockResponseSchema, { header: headerMessage(context, context.state.store.revision), key: place.key });
      }),
    unlock: ({ key }) =>
      withLockErrors(async () => {
        const revision = await queue.remove(key);
        return create(UnlockResponseSchema, { header: headerMessage(context, revision) });
      }),
  };
}
