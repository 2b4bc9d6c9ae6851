import { create, etcdserverpb, mvccpb } from "@raftkv/api";
import type { Dispatcher } from "@raftkv/raft-rpc";
import { Outbox } from "./scripted-streams.ts";

const text = new TextDecoder();
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** `put key` or `delete key` at a revision. */
export interface ScriptedEvent {
  readonly type: "put" | "delete";
  readonly key: string;
  readonly revision: number;
}

/** One stream of watches as a member sees it. The test answers. */
export class ScriptedWatchStream {
  readonly outbox = new Outbox<etcdserverpb.WatchResponse>();
  /** `create key from revision`, `cancel id` and `progress`, as they came. */
  readonly requests: string[] = [];
  readonly hasLeader: boolean;
  ended = false;

  constructor(hasLeader: boolean) {
    this.hasLeader = hasLeader;
  }

  created(watchId: number, revision: number): void {
    this.#send({ watchId: BigInt(watchId), created: true }, revision);
  }

  refused(reason: string): void {
    this.#send({ watchId: -1n, created: true, canceled: true, cancelReason: reason }, 1);
  }

  cancelled(watchId: number, more: { readonly compactRevision?: number; readonly reason?: string } = {}): void {
    const { compactRevision = 0, reason = "" } = more;
    this.#send({ watchId: BigInt(watchId), canceled: true, compactRevision: BigInt(compactRevision), cancelReason: reason }, 0);
  }

  events(watchId: number, events: readonly ScriptedEvent[], more: { readonly fragment?: boolean } = {}): void {
    const { fragment = false } = more;
    this.#send({ watchId: BigInt(watchId), fragment, events: events.map(wireEvent) }, events.at(-1)?.revision ?? 0);
  }

  /** Everything up to `revision` was told. */
  progress(watchId: number, revision: number): void {
    this.#send({ watchId: BigInt(watchId) }, revision);
  }

  note({ requestUnion }: etcdserverpb.WatchRequest): void {
    switch (requestUnion.case) {
      case "createRequest":
        this.requests.push(`create ${text.decode(requestUnion.value.key)} from ${requestUnion.value.startRevision}`);
        break;
      case "cancelRequest":
        this.requests.push(`cancel ${requestUnion.value.watchId}`);
        break;
      case "progressRequest":
        this.requests.push("progress");
        break;
      case undefined:
        throw new Error("A request of an unknown kind came");
    }
  }

  #send(response: Omit<Partial<etcdserverpb.WatchResponse>, "$typeName" | "$unknown" | "header">, revision: number): void {
    const header = create(etcdserverpb.ResponseHeaderSchema, { revision: BigInt(revision) });
    this.outbox.send(create(etcdserverpb.WatchResponseSchema, { ...response, header }));
  }
}

function wireEvent({ type, key, revision }: ScriptedEvent): mvccpb.Event {
  const kv = create(mvccpb.KeyValueSchema, { key: bytes(key), modRevision: BigInt(revision) });
  return create(mvccpb.EventSchema, { type: type === "put" ? mvccpb.Event_EventType.PUT : mvccpb.Event_EventType.DELETE, kv });
}

/** The Watch service of a member, stream by stream. */
export class ScriptedWatchService {
  readonly streams: ScriptedWatchStream[] = [];

  constructor(dispatcher: Dispatcher) {
    const { streams } = this;
    dispatcher.add(etcdserverpb.watchService, {
      async *watch(requests, call) {
        const stream = new ScriptedWatchStream(call.metadata.get("hasleader") === "true");
        streams.push(stream);
        // It ends with the call.
        void readAll(requests, stream);
        call.signal.addEventListener("abort", () => stream.outbox.end());
        try {
          yield* stream.outbox;
        } finally {
          stream.ended = true;
        }
      },
    });
  }

  /** The newest stream. */
  get last(): ScriptedWatchStream {
    const stream = this.streams.at(-1);
    if (stream === undefined) throw new Error("Nobody has opened a stream");
    return stream;
  }
}

async function readAll(requests: AsyncIterable<etcdserverpb.WatchRequest>, stream: ScriptedWatchStream): Promise<void> {
  try {
    for await (const request of requests) stream.note(request);
  } catch {
    // The client has cancelled the stream, or lost its connection.
  }
}
