import { onAbort } from "../../abort-listeners.ts";
import { ClientError } from "../../client-error.ts";
import type { WireRange } from "../key-range.ts";
import { EventAssembly } from "./event-assembly.ts";
import { WatchCompactedError } from "./watch-compacted-error.ts";
import type { WatchWish } from "./watch-request.ts";
import type { WatchResponse } from "./watch-response.ts";
import type { Watch, WatchBatch, WatchOptions } from "./watch-types.ts";

/** What a subscription asks of whoever has the streams. */
export interface SubscriptionOwner {
  /** Wants to be created at a server, from `wish` on. */
  attach(subscription: Subscription): void;
  /** Wants nothing more for now, or for ever. */
  detach(subscription: Subscription): void;
  requestProgress(): void;
  /** So many bytes more wait, or fewer. Returns whether all watches together have room for more. */
  holdBytes(change: number): boolean;
}

interface Waiting {
  readonly batch: WatchBatch;
  readonly bytes: number;
}

const defaultBufferBytesMax = 4 * 1024 * 1024;
/** Of a batch beside its message. */
const batchOverheadBytes = 256;

/**
 * One watch as its reader has it. Batches wait here until the loop takes them.
 *
 *            attach                 created
 *   wanted ─────────► on a stream ───────────► told events ──┬─ too much waits ──► parked ── half is taken ──► wanted
 *     ▲                    │                         │       └─ compacted, refused ──► ended
 *     └──── stream lost ◄──┴─────────────────────────┘
 */
export class Subscription implements Watch {
  readonly created: Promise<number>;
  readonly #owner: SubscriptionOwner;
  readonly #range: WireRange;
  readonly #options: WatchOptions;
  readonly #bufferBytesMax: number;
  readonly #assembly: EventAssembly;
  readonly #waiting: Waiting[] = [];
  /** Does not listen to the signal any more. */
  #unfollow = (): void => undefined;
  #waitingBytes = 0;
  #parked = false;
  #progressWanted = false;
  #end: { readonly error: ClientError | null } | null = null;
  #reader: { readonly resolve: (result: IteratorResult<WatchBatch, undefined>) => void; readonly reject: (error: Error) => void } | null =
    null;
  #resolveCreated: (revision: number) => void = () => undefined;
  #rejectCreated: (error: Error) => void = () => undefined;

  /** Throws RangeError. */
  constructor(owner: SubscriptionOwner, range: WireRange, options: WatchOptions) {
    const { startRevision = 0, bufferBytesMax = defaultBufferBytesMax } = options;
    if (!(Number.isSafeInteger(startRevision) && startRevision >= 0))
      throw new RangeError(`Start revision ${startRevision} is no revision`);
    if (!(bufferBytesMax >= 1)) throw new RangeError(`bufferBytesMax ${bufferBytesMax} is less than 1`);
    this.#owner = owner;
    this.#range = range;
    this.#options = options;
    this.#bufferBytesMax = bufferBytesMax;
    this.#assembly = new EventAssembly(startRevision);
    this.created = new Promise((resolve, reject) => {
      this.#resolveCreated = resolve;
      this.#rejectCreated = reject;
    });
    // The loop throws the same; whoever does not look at `created` needs not handle it.
    this.created.catch(() => undefined);
  }

  /** Wants to be created, until its signal aborts. Called once. */
  start(): void {
    this.#unfollow = onAbort(this.#options.signal, () => this.close());
    if (this.#end === null) this.#owner.attach(this);
  }

  get nextRevision(): number {
    return this.#assembly.nextRevision;
  }

  // ---- Its reader

  [Symbol.asyncIterator](): AsyncIterator<WatchBatch, undefined> {
    return {
      next: () => this.#next(),
      return: () => {
        this.close();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  requestProgress(): void {
    if (this.#end !== null) return;
    this.#progressWanted = true;
    this.#owner.requestProgress();
  }

  close(): void {
    this.#waiting.length = 0;
    this.#owner.holdBytes(-this.#waitingBytes);
    this.#waitingBytes = 0;
    this.#finish(null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  // ---- Its streams

  get wish(): WatchWish {
    return { range: this.#range, startRevision: this.#assembly.nextRevision, options: this.#options };
  }

  get ended(): boolean {
    return this.#end !== null;
  }

  get wanted(): boolean {
    return this.#end === null && !this.#parked;
  }

  get progressWanted(): boolean {
    return this.#progressWanted;
  }

  /** A server has taken it when its store was at `revision`. */
  taken(revision: number): void {
    this.#assembly.created(revision);
    this.#resolveCreated(revision);
  }

  /** Events, or progress of this watch. */
  receive(response: WatchResponse): void {
    if (!this.wanted) return;
    const batch = this.#assembly.accept(response);
    if (batch === null || (batch.events.length === 0 && this.#options.progressNotify !== true)) return;
    const allHaveRoom = this.#push(batch, response.bytes + batchOverheadBytes);
    if (this.#waitingBytes === 0 || (allHaveRoom && this.#waitingBytes <= this.#bufferBytesMax)) return;
    this.#parked = true;
    this.#assembly.interrupted();
    this.#owner.detach(this);
  }

  /** Progress of all watches of a stream, which somebody asked for. It is not taken as the place to go on from: etcd before 3.4.25 runs ahead. */
  receiveProgress({ header }: WatchResponse): void {
    if (!this.#progressWanted) return;
    this.#progressWanted = false;
    if (this.wanted) this.#push({ header, revision: header.revision, events: [] }, batchOverheadBytes);
  }

  /** The stream is gone: it has to be created anew. */
  interrupted(): void {
    this.#assembly.interrupted();
  }

  /** The server has ended it. */
  cancelled({ compactRevision, cancelReason }: WatchResponse): void {
    if (compactRevision > 0) return this.fail(new WatchCompactedError(this.#assembly.nextRevision, compactRevision));
    // How etcd from 3.5 on says it of a negative start, and other servers of any.
    const code = cancelReason.endsWith("required revision has been compacted") ? "ERR_COMPACTED" : "ERR_REJECTED";
    this.fail(new ClientError(code, `The server ended the watch: ${cancelReason || "without a reason"}`));
  }

  fail(error: ClientError): void {
    this.#finish(error);
  }

  /** Is there room for more, as far as all watches are concerned? */
  #push(batch: WatchBatch, bytes: number): boolean {
    const reader = this.#reader;
    if (reader !== null) {
      this.#reader = null;
      reader.resolve({ done: false, value: batch });
      return true;
    }
    this.#waiting.push({ batch, bytes });
    this.#waitingBytes += bytes;
    return this.#owner.holdBytes(bytes);
  }

  #leftBuffer(bytes: number): void {
    this.#waitingBytes -= bytes;
    this.#owner.holdBytes(-bytes);
    if (!this.#parked || this.#end !== null || this.#waitingBytes > this.#bufferBytesMax / 2) return;
    this.#parked = false;
    this.#owner.attach(this);
  }

  #next(): Promise<IteratorResult<WatchBatch, undefined>> {
    const first = this.#waiting.shift();
    if (first !== undefined) {
      this.#leftBuffer(first.bytes);
      return Promise.resolve({ done: false, value: first.batch });
    }
    if (this.#end !== null) {
      const { error } = this.#end;
      // An error is told once; a reader that goes on sees the end.
      this.#end = { error: null };
      return error === null ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error);
    }
    if (this.#reader !== null) return Promise.reject(new RangeError("A watch has one reader"));
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  #finish(error: ClientError | null): void {
    if (this.#end !== null) return;
    this.#end = { error };
    this.#unfollow();
    this.#owner.detach(this);
    this.#rejectCreated(error ?? new ClientError("ERR_ABORTED", "The watch was closed before a server had taken it"));
    const reader = this.#reader;
    this.#reader = null;
    if (reader === null) return;
    this.#end = { error: null };
    if (error === null) reader.resolve({ done: true, value: undefined });
    else reader.reject(error);
  }
}
