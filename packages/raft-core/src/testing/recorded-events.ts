import type { CoreEvent, EventSink } from "../events.ts";

type EventOf<Type extends CoreEvent["type"]> = Extract<CoreEvent, { type: Type }>;

/** What a core told of, in order. `sink` goes into its options as `onEvent`. */
export class RecordedEvents {
  readonly all: CoreEvent[] = [];
  readonly sink: EventSink = (event) => {
    this.all.push(event);
  };

  ofType<Type extends CoreEvent["type"]>(type: Type): readonly EventOf<Type>[] {
    return this.all.filter((event): event is EventOf<Type> => event.type === type);
  }

  clear(): void {
    this.all.length = 0;
  }
}
