/** One thing that happened, as the trace keeps it. */
export interface TraceLine {
  readonly timeUs: number;
  readonly kind: string;
  /** Node, link or file it happened to. */
  readonly subject: string;
}

/** Two 32-bit lanes of multiply-xor, fed with everything that happens. Equal runs have equal hashes; it is no protection against intent. */
class TraceHash {
  #a = 0x811c9dc5;
  #b = 0x9747b28c;

  number(value: number): void {
    this.#word(value | 0);
    this.#word(Math.floor(value / 2 ** 32) | 0);
  }

  bytes(bytes: Uint8Array): void {
    let a = this.#a;
    let b = this.#b;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const wordsEnd = bytes.length - (bytes.length % 4);
    for (let offset = 0; offset < wordsEnd; offset += 4) {
      const word = view.getInt32(offset, true);
      a = Math.imul(a ^ word, 0x01000193);
      a ^= a >>> 15;
      b = Math.imul((b << 5) ^ (b >>> 27) ^ word, 0x85ebca6b);
    }
    this.#a = a;
    this.#b = b;
    for (let offset = wordsEnd; offset < bytes.length; offset++) this.#word(view.getUint8(offset));
    this.#word(bytes.length);
  }

  #word(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 0x01000193);
    this.#a ^= this.#a >>> 15;
    this.#b = Math.imul((this.#b << 5) ^ (this.#b >>> 27) ^ word, 0x85ebca6b);
  }

  get hex(): string {
    return [this.#a, this.#b].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

const encoder = new TextEncoder();

/** What happened in a run: a hash of all of it, and the last lines for people. */
export class Trace {
  readonly #hash = new TraceHash();
  readonly #linesMax: number;
  // A ring in columns: a line of the past is overwritten, nothing is allocated.
  readonly #times: Float64Array;
  readonly #kinds: string[] = [];
  readonly #subjects: string[] = [];
  #next = 0;
  readonly #textHashes = new Map<string, number>();

  /** `linesMax`: how many of the last lines are kept. */
  constructor(linesMax: number) {
    this.#linesMax = linesMax;
    this.#times = new Float64Array(linesMax);
  }

  add(timeUs: number, kind: string, subject: string): void {
    this.#hash.number(timeUs);
    this.#hash.number(this.#textHash(kind));
    this.#hash.number(this.#textHash(subject));
    if (this.#linesMax === 0) return;
    this.#times[this.#next] = timeUs;
    this.#kinds[this.#next] = kind;
    this.#subjects[this.#next] = subject;
    this.#next = this.#next + 1 === this.#linesMax ? 0 : this.#next + 1;
  }

  /** Bytes that belong to the last line: what was written or sent. */
  addBytes(bytes: Uint8Array): void {
    this.#hash.bytes(bytes);
  }

  addText(text: string): void {
    this.#hash.bytes(encoder.encode(text));
  }

  /** 16 hex digits. Two runs of one seed and one program have the same. */
  get hash(): string {
    return this.#hash.hex;
  }

  /** The last lines, oldest first. */
  get lines(): readonly TraceLine[] {
    const count = this.#kinds.length;
    const first = count < this.#linesMax ? 0 : this.#next;
    return Array.from({ length: count }, (_, offset) => this.#line((first + offset) % count));
  }

  get text(): string {
    return this.lines.map((line) => `${(line.timeUs / 1_000).toFixed(3)} ms  ${line.kind}  ${line.subject}`).join("\n");
  }

  #line(position: number): TraceLine {
    return { timeUs: this.#times[position] ?? 0, kind: this.#kinds[position] ?? "", subject: this.#subjects[position] ?? "" };
  }

  // Kinds and subjects repeat; each text is hashed once.
  #textHash(text: string): number {
    const known = this.#textHashes.get(text);
    if (known !== undefined) return known;
    let hash = 0x811c9dc5;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    this.#textHashes.set(text, hash);
    return hash;
  }
}
