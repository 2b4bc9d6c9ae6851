import type { EventOwner, SimulatedEvent } from "./event-queue.ts";
import type { Timeline } from "./timeline.ts";

/** A paused process holds at most this much; more is a leak in whoever sends to it. */
const heldMax = 1_000_000;

/**
 * One life of a process, from its start to its crash. Everything that is to happen inside the process goes through here: after
 * the crash nothing does, and during a pause it waits.
 *
 *     running ──pause──► paused ──resume──► running       what was held happens then, in order, each as an event of its own
 *        └───────────────────┴───────end───────► over
 */
export class Life implements EventOwner {
  readonly name: string;
  readonly timeline: Timeline;
  #state: "running" | "paused" | "over" = "running";
  #held: { readonly kind: string; readonly action: () => void }[] = [];
  readonly #endings = new Set<() => void>();

  constructor(timeline: Timeline, name: string) {
    this.timeline = timeline;
    this.name = name;
  }

  get isOver(): boolean {
    return this.#state === "over";
  }

  get isPaused(): boolean {
    return this.#state === "paused";
  }

  /** Calls `action` in this process `delayUs` from now, unless it has ended by then. */
  schedule(delayUs: number, kind: string, action: () => void): SimulatedEvent {
    return this.timeline.schedule(delayUs, kind, action, this);
  }

  /** Calls `action` in this process now; when it goes on, if it is paused; never, if it is over. */
  enter(kind: string, action: () => void): void {
    if (this.#state === "over") return;
    if (this.#state === "running") {
      action();
      return;
    }
    if (this.#held.length >= heldMax) throw new Error(`More than ${heldMax} events wait for the paused process ${this.name}`);
    this.#held.push({ kind, action });
  }

  /** `ending` is called when this life ends. Returns a function that takes the wish back. */
  onEnd(ending: () => void): () => void {
    this.#endings.add(ending);
    return () => this.#endings.delete(ending);
  }

  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    const held = this.#held;
    this.#held = [];
    for (const { kind, action } of held) this.schedule(0, kind, action);
  }

  end(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#held = [];
    for (const ending of this.#endings) ending();
    this.#endings.clear();
  }
}
