import { encodeWatchEvent } from "@raftkv/api";
import { WatchHub } from "@raftkv/kvstore";
import { promised } from "@raftkv/raft-node";
import { describe, expect, onTestFinished, test } from "vitest";
import { MemoryLeader } from "../../lease/testing/memory-leader.ts";
import { SpaceQuota } from "../../space/space-quota.ts";
import type { ApplyResult } from "../../state/apply-result.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { ElectionObservation, type ObservedLeader } from "./election-observation.ts";
import { LockQueue, type QueuePlace } from "./lock-queue.ts";

const name = new TextEncoder().encode("office");
const bytes = (characters: string): Uint8Array => new TextEncoder().encode(characters);
const text = (value: Uint8Array): string => new TextDecoder().decode(value);

/** A store with candidates, and an observer that reads when the test lets it. */
class Scene {
  readonly clock = new ManualClock();
  readonly leader = new MemoryLeader(this.clock);
  readonly hub: WatchHub;
  readonly queue: LockQueue;
  private readonly controller = new AbortController();
  private readonly leaders: AsyncGenerator<ObservedLeader>;
  /** Asked for and not yet there. */
  private pending: Promise<IteratorResult<ObservedLeader>> | null = null;

  constructor() {
    const { state } = this.leader;
    const hub = new WatchHub({ store: state.store, encodeEvent: encodeWatchEvent });
    state.observe({ written: () => hub.publish() });
    const node = {
      propose: (command: Uint8Array) => promised<ApplyResult>((completion) => this.leader.submit(command, completion)),
      readBarrier: () => promised<number>((completion) => this.leader.read(completion)),
    };
    const quota = new SpaceQuota({ store: state.store, limitBytes: Number.POSITIVE_INFINITY, onExceeded: () => {} });
    const context = { node, state, quota, maxRequestBytes: 1_000_000, maxTxnOps: 128 };
    this.hub = hub;
    this.queue = new LockQueue({ context, hub, leases: { grant: () => Promise.reject(new Error("No lease was asked for")) } });
    const { signal } = this.controller;
    this.leaders = new ElectionObservation({ context, queue: this.queue, hub, name, signal }).leaders();
    onTestFinished(() => this.stop());
  }

  /** The next that the observer sees; null if there is nothing more for now. */
  async next(): Promise<string | null> {
    const seen: { value: string | null } = { value: null };
    this.pending ??= this.leaders.next();
    const { pending } = this;
    void pending.then(({ value, done }) => {
      if (done !== true) seen.value = text(value.kv.value);
    });
    for (let round = 0; round < 5; round++) {
      this.hub.runTurn(() => true);
      await this.clock.run();
    }
    if (seen.value !== null) this.pending = null;
    return seen.value;
  }

  async stand(lease: bigint, value: string): Promise<QueuePlace> {
    this.leader.grant(lease, 60);
    const entering = this.queue.enter(name, lease, bytes(value));
    await this.clock.run();
    return (await entering).place;
  }

  async say(place: QueuePlace, lease: bigint, ...values: readonly string[]): Promise<void> {
    for (const value of values) {
      const saying = this.queue.replaceValue(place, bytes(value), lease);
      await this.clock.run();
      await saying;
    }
  }

  stop(): void {
    this.controller.abort();
  }
}

describe("an observer of an election", () => {
  test("waits for the first candidate", async () => {
    const scene = new Scene();
    expect(await scene.next()).toBeNull();
    await scene.stand(1n, "one");
    expect(await scene.next()).toBe("one");
    expect(await scene.next()).toBeNull();
  });

  test("that reads slowly sees every value, and then the next leader", async () => {
    const scene = new Scene();
    const [first] = [await scene.stand(1n, "one"), await scene.stand(2n, "two")];
    expect(await scene.next()).toBe("one");
    await scene.say(first, 1n, "a", "b", "c", "d");
    scene.leader.revoke(1n);
    expect([await scene.next(), await scene.next(), await scene.next(), await scene.next()]).toEqual(["a", "b", "c", "d"]);
    expect(await scene.next()).toBe("two");
    expect(await scene.next()).toBeNull();
  });

  test("that was overtaken by a compaction goes on with who leads now", async () => {
    const scene = new Scene();
    const place = await scene.stand(1n, "one");
    expect(await scene.next()).toBe("one");
    await scene.say(place, 1n, "a");
    scene.hub.runTurn(() => true);
    await scene.say(place, 1n, "b", "c");
    scene.hub.runTurn(() => true);
    const { store } = scene.leader.state;
    store.compact(store.revision);
    expect(await scene.next()).toBe("a");
    expect(await scene.next()).toBe("c");
    expect(await scene.next()).toBeNull();
  });

  test("leaves no watcher behind when it stops", async () => {
    const scene = new Scene();
    await scene.stand(1n, "one");
    expect(await scene.next()).toBe("one");
    expect(await scene.next()).toBeNull();
    expect(scene.hub.watcherCount).toBe(1);
    scene.stop();
    await scene.clock.run();
    expect(scene.hub.watcherCount).toBe(0);
  });
});
