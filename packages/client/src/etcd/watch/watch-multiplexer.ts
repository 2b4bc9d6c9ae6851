import { RpcError } from "@raftkv/raft-rpc";
import type { ClientContext } from "../../client-context.ts";
import { ClientError } from "../../client-error.ts";
import type { Endpoint } from "../../endpoint.ts";
import type { MemberSelection } from "../../member-selection.ts";
import { isOfTransport, judge, rejection } from "../etcd-refusal.ts";
import { type KeyRange, toWireRange } from "../key-range.ts";
import { Subscription, type SubscriptionOwner } from "./subscription.ts";
import { WatchStream, type WatchStreamOwner } from "./watch-stream.ts";
import type { Watch, WatchOptions } from "./watch-types.ts";

/**
 * Holds the watches of a client on one stream, and carries them over to a stream of another member when it ends: each goes on from the
 * first revision that it was not told yet.
 *
 *   Subscription ─┐                                            ┌─► member that answered last
 *   Subscription ─┼─► waiting ──► WatchStream ── lost, back off ┤
 *   Subscription ─┘      ▲             │                        └─► the next one
 *                        └─────────────┘ created anew, from its next revision on
 */
export class WatchMultiplexer implements SubscriptionOwner, WatchStreamOwner {
  readonly #context: ClientContext;
  readonly #selection: MemberSelection;
  readonly #subscriptions = new Set<Subscription>();
  readonly #bytesMax: number;
  #bytesHeld = 0;
  #stream: WatchStream | null = null;
  #streamBeganMs = 0;
  #opening = false;

  constructor(context: ClientContext, selection: MemberSelection) {
    this.#context = context;
    this.#selection = selection;
    this.#bytesMax = context.watchBytesMax;
  }

  /** Throws RangeError for wrong options, and ClientError. */
  watch(keys: KeyRange, options: WatchOptions): Watch {
    this.#context.inFlight.enter();
    const subscription = this.#subscribe(keys, options);
    subscription.start();
    return subscription;
  }

  /** Every watch fails with ERR_CLOSED. */
  close(): void {
    for (const subscription of [...this.#subscriptions]) subscription.fail(new ClientError("ERR_CLOSED", "The client is closed"));
  }

  // ---- SubscriptionOwner

  attach(subscription: Subscription): void {
    if (this.#stream !== null) this.#stream.create(subscription);
    else void this.#open();
  }

  detach(subscription: Subscription): void {
    this.#stream?.cancel(subscription);
    if (!subscription.ended || !this.#subscriptions.delete(subscription)) return;
    this.#context.inFlight.leave();
    if (this.#subscriptions.size === 0) this.#stream?.close();
  }

  requestProgress(): void {
    this.#stream?.requestProgress();
  }

  holdBytes(change: number): boolean {
    this.#bytesHeld += change;
    return this.#bytesHeld <= this.#bytesMax;
  }

  // ---- WatchStreamOwner

  streamWorks({ endpoint }: WatchStream): void {
    this.#selection.answered(endpoint.address);
  }

  streamEnded(stream: WatchStream, error: RpcError, subscriptions: readonly Subscription[]): void {
    if (stream === this.#stream) this.#stream = null;
    if (subscriptions.length === 0 && !this.#anyWanted()) return;
    this.#failed(stream.endpoint.address, error, subscriptions);
  }

  // ---- Details

  #subscribe(keys: KeyRange, options: WatchOptions): Subscription {
    try {
      const subscription = new Subscription(this, toWireRange(keys), options);
      this.#subscriptions.add(subscription);
      return subscription;
    } catch (error) {
      this.#context.inFlight.leave();
      throw error;
    }
  }

  #failed(address: string, error: RpcError, subscriptions: readonly Subscription[]): void {
    this.#context.onEvent({ kind: "failure", from: address, reason: error.message });
    this.#selection.failed(address, this.#streamBeganMs);
    // A member that has no room for the stream is no reason to end watches.
    const refused = judge(error) === "refused" && !isOfTransport(error);
    for (const subscription of subscriptions) {
      if (refused) subscription.fail(rejection("Watch", address, error));
      else subscription.interrupted();
    }
    void this.#open();
  }

  /** Opens a stream for all that want one, as soon as a member may be asked. */
  async #open(): Promise<void> {
    if (this.#opening) return;
    this.#opening = true;
    try {
      while (this.#stream === null && this.#anyWanted()) {
        const member = this.#selection.select();
        if (member === null) await this.#selection.waitForMember(Number.POSITIVE_INFINITY);
        else this.#openAt(member.endpoint);
      }
    } finally {
      this.#opening = false;
    }
  }

  #openAt(endpoint: Endpoint): void {
    this.#streamBeganMs = this.#context.ports.clock.monotonicMs();
    try {
      this.#stream = new WatchStream(this.#context, endpoint, this);
    } catch (reason) {
      this.#selection.failed(endpoint.address, this.#streamBeganMs);
      this.#context.onEvent({ kind: "failure", from: endpoint.address, reason: RpcError.from(reason).message });
      return;
    }
    for (const subscription of this.#subscriptions) if (subscription.wanted) this.#stream.create(subscription);
  }

  #anyWanted(): boolean {
    for (const subscription of this.#subscriptions) if (subscription.wanted) return true;
    return false;
  }
}
