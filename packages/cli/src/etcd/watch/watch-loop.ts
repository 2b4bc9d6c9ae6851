import { ClientError, type EtcdClient, type Watch, WatchCompactedError } from "@raftkv/client";
import { ProgramError } from "../../terminal.ts";
import { etcdExit } from "../exit-status.ts";
import { errorText, type VerbCall } from "../verb.ts";
import { runForEvent } from "./event-command.ts";
import type { WatchRequest } from "./watch-arguments.ts";

/** One watch, as it was asked for. Throws ClientError and RangeError. */
export function openWatch(etcd: EtcdClient, { keys, startRevision, prevKv }: WatchRequest): Watch {
  return etcd.watch(keys, { prevKv, ...(startRevision === 0 ? {} : { startRevision }) });
}

/** Prints every event until the watch ends. Throws ProgramError when the server ends it, or when the command of an event fails. */
export async function printEvents<Options extends object>(watch: Watch, { command }: WatchRequest, call: VerbCall<Options>): Promise<void> {
  try {
    for await (const { header, revision, events } of watch) {
      if (events.length === 0) call.terminal.writeOut(`progress notify: ${revision}\n`);
      call.show({ kind: "watch", response: { header, events, compactRevision: 0 } });
      if (command.length === 0) continue;
      for (const event of events) await runForEvent(command, event, header.revision, call.terminal);
    }
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    // Closed with the client: the program is about to end.
    if (error.code !== "ERR_CLOSED") throw cancellation(error, call);
  }
}

function cancellation<Options extends object>(error: ClientError, call: VerbCall<Options>): ProgramError {
  call.terminal.writeErr(`watch was canceled (${reasonOf(error)})\n`);
  if (error instanceof WatchCompactedError) {
    call.show({ kind: "watch", response: { header: null, events: [], compactRevision: error.compactRevision } });
  }
  return new ProgramError(etcdExit.interrupted, "watch is canceled by the server", { cause: error });
}

function reasonOf(error: ClientError): string {
  return error instanceof WatchCompactedError ? "etcdserver: mvcc: required revision has been compacted" : errorText(error);
}
