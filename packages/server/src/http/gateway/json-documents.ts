import { GrowingBytes } from "./growing-bytes.ts";

const quote = 0x22;
const backslash = 0x5c;
const opening = 0x7b;
const closing = 0x7d;
const openingList = 0x5b;
const closingList = 0x5d;

/**
 * Cuts a body into the JSON objects that stand in it one after the other, as it comes in. Looks at brackets and quotation marks only: the
 * text of an object that is none is for the parser to refuse.
 */
export class JsonDocuments {
  readonly #begun = new GrowingBytes();
  readonly #complete: string[] = [];
  #depth = 0;
  #isString = false;
  #isEscaped = false;

  /** Of the object that is not complete yet. */
  get begunBytes(): number {
    return this.#begun.length;
  }

  push(chunk: Uint8Array): void {
    let start = 0;
    for (let place = 0; place < chunk.length; place++) {
      if (this.#begun.length === 0 && start === place && isSpace(chunk[place] ?? 0)) start = place + 1;
      else if (this.#endsWith(chunk[place] ?? 0)) {
        this.#begun.append(chunk.subarray(start, place + 1));
        this.#complete.push(this.#begun.takeText());
        start = place + 1;
      }
    }
    this.#begun.append(chunk.subarray(start));
  }

  /** The next object, null while none is complete. */
  next(): string | null {
    return this.#complete.shift() ?? null;
  }

  /** After the end of the body: what was begun and is not complete, null if nothing was. */
  rest(): string | null {
    return this.#begun.length === 0 ? null : this.#begun.takeText();
  }

  /** True if an object ends with this octet. What is no object at all is cut after its first octet, to be refused. */
  #endsWith(octet: number): boolean {
    if (this.#isString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (octet === backslash) this.#isEscaped = true;
      else if (octet === quote) this.#isString = false;
      return false;
    }
    if (octet === quote) this.#isString = this.#depth > 0;
    else if (octet === opening || octet === openingList) this.#depth++;
    else if (octet === closing || octet === closingList) this.#depth = Math.max(0, this.#depth - 1);
    return this.#depth === 0;
  }
}

function isSpace(octet: number): boolean {
  return octet === 0x20 || octet === 0x0a || octet === 0x0d || octet === 0x09;
}
