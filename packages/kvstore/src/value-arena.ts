import { CellArena, type CellRef, granuleMask, pageShift } from "./cell-arena.ts";

const noBytes = new Uint8Array(0);

/** The bytes of values. An empty value has no cell: its reference is 0. */
export class ValueArena {
  readonly cells = new CellArena();

  store(value: Uint8Array): CellRef {
    if (value.length === 0) return 0;
    const cell = this.cells.allocate(value.length);
    this.page(cell).set(value, this.offset(cell));
    return cell;
  }

  free(cell: CellRef): void {
    if (cell !== 0) this.cells.free(cell);
  }

  /** The value where it lies, valid until it is freed. */
  view(cell: CellRef, length: number): Uint8Array {
    if (length === 0) return noBytes;
    const offset = this.offset(cell);
    return this.page(cell).subarray(offset, offset + length);
  }

  /** The page that a value lies in. */
  page(cell: CellRef): Uint8Array {
    return this.cells.bytes[cell >>> pageShift] as Uint8Array;
  }

  /** Where in its page a value begins. */
  offset(cell: CellRef): number {
    return (cell & granuleMask) << 3;
  }
}
