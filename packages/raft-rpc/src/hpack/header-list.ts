/** Decoded header fields in their order. Reused from block to block; whoever keeps a field takes the strings. */
export class HeaderList {
  readonly names: string[] = [];
  readonly values: string[] = [];
  count = 0;
  /** Sum of name, value and 32 per field (RFC 9113 6.5.2), also of fields that were left out. */
  listBytes = 0;
  /** More than the limits allow: the fields behind them were decoded and left out. */
  tooLarge = false;

  clear(): void {
    this.count = 0;
    this.listBytes = 0;
    this.tooLarge = false;
  }

  add(name: string, value: string): void {
    this.names[this.count] = name;
    this.values[this.count] = value;
    this.count++;
  }

  name(place: number): string {
    return this.names[place] as string;
  }

  value(place: number): string {
    return this.values[place] as string;
  }

  /** The first value of the name. */
  get(name: string): string | undefined {
    for (let place = 0; place < this.count; place++) if (this.names[place] === name) return this.values[place];
    return undefined;
  }
}
