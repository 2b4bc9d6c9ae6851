const prefixBytes = 5;
const lengthDelimited = 2;
const moreBytes = 0x80;
/** Fields of `etcdserverpb.WatchResponse`, with their wire types. */
const createdTag = 3 << 3;
const canceledTag = 4 << 3;
const eventsTag = (11 << 3) | lengthDelimited;

/**
 * Counts what comes on a stream of `etcdserverpb.WatchResponse`s without decoding it, whatever pieces the bytes come in: the load
 * generator shares the machine with those it measures. Fields are skipped by their length, and a response counts with its last byte.
 *
 *   flag (1)  length (4)  tag length ~~~~~~~ tag value tag length ~~~~~~~~~~~
 */
export class ResponseScanner {
  /** Responses that came whole, and what was in them. */
  responses = 0;
  events = 0;
  created = 0;
  canceled = 0;
  #prefixLeft = prefixBytes;
  #messageLeft = 0;
  /** Bytes of the field that are skipped. */
  #skipLeft = 0;
  /** Of the field whose number is being read; 0 while its tag is. */
  #tag = 0;
  #number = 0;
  #scale = 1;
  /** In the response that has begun. */
  #eventsBegun = 0;

  /** The next byte begins a response. */
  get isBetweenResponses(): boolean {
    return this.#prefixLeft === prefixBytes;
  }

  /** Takes the bytes from `start` to `end`. Throws RangeError if they are no responses. */
  scan(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; ) {
      if (this.#skipLeft > 0) {
        const count = Math.min(this.#skipLeft, end - at);
        at += count;
        this.#skipLeft -= count;
        this.#take(count);
      } else if (this.#prefixLeft > 0) {
        this.#readPrefix(bytes[at++] as number);
      } else {
        this.#readNumber(bytes[at++] as number);
      }
    }
  }

  #readPrefix(byte: number): void {
    if (this.#prefixLeft-- === prefixBytes && byte !== 0) throw new RangeError(`A response begins with ${byte}: it is compressed, or none`);
    this.#messageLeft = this.#messageLeft * 256 + byte;
    if (this.#prefixLeft === 0) this.#endIfComplete();
  }

  /** A tag, a length or a value. Only the low 53 bits of a longer one are right; such are not looked at. */
  #readNumber(byte: number): void {
    this.#number += (byte & 0x7f) * this.#scale;
    this.#scale *= 128;
    if ((byte & moreBytes) === 0) this.#endNumber();
    this.#take(1);
  }

  #endNumber(): void {
    const number = this.#number;
    this.#number = 0;
    this.#scale = 1;
    if (this.#tag === 0) {
      const wireType = number & 7;
      if (wireType !== 0 && wireType !== lengthDelimited) throw new RangeError(`Wire type ${wireType} is none of a watch response`);
      this.#tag = number;
      return;
    }
    if (this.#tag === eventsTag) this.#eventsBegun++;
    else if (this.#tag === createdTag) this.created += number;
    else if (this.#tag === canceledTag) this.canceled += number;
    // The last byte of the number itself is still to be taken.
    if ((this.#tag & 7) === lengthDelimited) this.#skipLeft = number;
    if (this.#skipLeft >= this.#messageLeft) throw new RangeError("A field reaches beyond the end of its response");
    this.#tag = 0;
  }

  #take(count: number): void {
    this.#messageLeft -= count;
    if (this.#messageLeft === 0) this.#endIfComplete();
  }

  #endIfComplete(): void {
    if (this.#messageLeft > 0) return;
    if (this.#tag !== 0 || this.#scale !== 1 || this.#skipLeft > 0) throw new RangeError("A response ends within a field");
    this.responses++;
    this.events += this.#eventsBegun;
    this.#eventsBegun = 0;
    this.#prefixLeft = prefixBytes;
  }
}
