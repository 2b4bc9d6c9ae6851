/** The events of one response, to be sent in parts. */
export class EventFragments {
  readonly watchId: bigint;
  readonly revision: number;
  private readonly events: readonly Uint8Array[];
  private readonly bytesMax: number;
  private readonly fixedBytes: number;
  private next = 0;

  /** `fixedBytes` is what a response takes besides its events. A part has fewer than `bytesMax` bytes, or one event. */
  constructor(response: {
    readonly watchId: bigint;
    readonly revision: number;
    readonly events: readonly Uint8Array[];
    readonly bytesMax: number;
    readonly fixedBytes: number;
  }) {
    this.watchId = response.watchId;
    this.revision = response.revision;
    this.events = [...response.events];
    this.bytesMax = response.bytesMax;
    this.fixedBytes = response.fixedBytes;
  }

  get isEmpty(): boolean {
    return this.next === this.events.length;
  }

  /** The events of the next part. */
  take(): readonly Uint8Array[] {
    let bytes = this.fixedBytes;
    let end = this.next;
    for (; end < this.events.length; end++) {
      bytes += (this.events[end] as Uint8Array).length;
      if (end > this.next && bytes >= this.bytesMax) break;
    }
    const part = this.events.slice(this.next, end);
    this.next = end;
    return part;
  }
}
