import { KVStore, keySpanOf, WatchHub, type WatchReceiver } from "@raftkv/kvstore";
import { expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { WatchPump } from "./watch-pump.ts";

/** Half a millisecond passes between two looks at it. */
class WorkingClock extends ManualClock {
  turns = 0;
  private looks = 0;

  override monotonicMs(): number {
    this.looks++;
    return super.monotonicMs() + this.looks / 2;
  }

  override atEndOfTurn(wake: () => void): void {
    super.atEndOfTurn(() => {
      this.turns++;
      wake();
    });
  }
}

function startHub(clock: WorkingClock): { readonly store: KVStore; readonly hub: WatchHub; readonly pump: WatchPump; events: number } {
  const store = new KVStore();
  const hub = new WatchHub({ store, encodeEvent: () => new Uint8Array(1024) });
  for (let i = 0; i < 5_000; i++) store.set(Uint8Array.of(1), new Uint8Array(0));
  hub.publish();
  const started = { store, hub, pump: new WatchPump(hub, clock), events: 0 };
  const receiver: WatchReceiver = {
    isReady: true,
    deliver: (_watcher, _revision, events) => {
      started.events += events.length;
    },
    overtaken: () => {},
  };
  const span = keySpanOf(Uint8Array.of(1), new Uint8Array(0));
  if (span !== null) hub.watch({ span, startRevision: 1 }, receiver);
  return started;
}

test("a watcher that lacks much catches up in many short slices, each in a turn of its own", async () => {
  const clock = new WorkingClock();
  const started = startHub(clock);
  expect(started.events).toBe(0);
  await clock.run();
  expect(started.events).toBe(5_000);
  // 5,000 events of 1 KiB are about 20 steps of 256 KiB, of which a slice of 2.5 ms has 4 or 5.
  expect(clock.turns).toBeGreaterThan(3);
});

test("a pump that is stopped does nothing more", async () => {
  const clock = new WorkingClock();
  const started = startHub(clock);
  started.pump.stop();
  started.store.set(Uint8Array.of(1), new Uint8Array(0));
  started.hub.publish();
  await clock.run();
  expect(started.events).toBe(0);
});
