import type { EventView } from "../event-view.ts";

/** Makes of an event what receivers send, for instance the bytes of a message's field. Called within the visit that shows the event. */
export type EventEncoder = (event: EventView, withPrevious: boolean) => Uint8Array;

/** A list of its own, so that a watcher that gets this event alone needs no other. */
export type EncodedEvent = readonly [Uint8Array];

/** The event that is visited, encoded once for all watchers that want it in the same form. */
export class EventEncoding {
  readonly #encode: EventEncoder;
  #event: EventView | null = null;
  #plain: EncodedEvent | null = null;
  #withPrevious: EncodedEvent | null = null;
  /** Bytes that were encoded so far. */
  bytes = 0;

  constructor(encode: EventEncoder) {
    this.#encode = encode;
  }

  begin(event: EventView): void {
    this.#event = event;
    this.#plain = null;
    this.#withPrevious = null;
  }

  /** Lets go of the event. */
  end(): void {
    this.#event = null;
    this.#plain = null;
    this.#withPrevious = null;
  }

  encoded(wantsPrevious: boolean): EncodedEvent {
    if (!wantsPrevious || this.#event?.previous === null) return (this.#plain ??= this.#make(false));
    return (this.#withPrevious ??= this.#make(true));
  }

  #make(withPrevious: boolean): EncodedEvent {
    if (this.#event === null) throw new Error("Assertion failed: An event is encoded only while it is visited");
    const encoded = this.#encode(this.#event, withPrevious);
    this.bytes += encoded.length;
    return [encoded];
  }
}
