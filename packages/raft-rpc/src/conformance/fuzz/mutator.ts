import type { SeededRandom } from "./seeded-random.ts";

const stepsMax = 3;
const rangeBytesMax = 32;
/** Octets at the limits of prefixes, flags and lengths. */
const notableOctets = [0x00, 0x01, 0x0f, 0x10, 0x1f, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xbe, 0xfe, 0xff];

/** Damages inputs as transport, other implementations and attackers do: a few steps each, in a buffer of its own. */
export class Mutator {
  readonly #buffer: Uint8Array;
  #length = 0;

  /** Longer results are cut. */
  constructor(bytesMax: number) {
    this.#buffer = new Uint8Array(bytesMax);
  }

  /** A changed copy of `input`. `others` lend parts of themselves. */
  mutate(input: Uint8Array, others: readonly Uint8Array[], random: SeededRandom): Uint8Array {
    this.#length = 0;
    this.#insert(0, input);
    for (let step = 1 + random.below(stepsMax); step > 0; step--) this.#step(others, random);
    return this.#buffer.slice(0, this.#length);
  }

  #step(others: readonly Uint8Array[], random: SeededRandom): void {
    const buffer = this.#buffer;
    const at = random.below(this.#length + 1);
    const count = Math.min(random.below(rangeBytesMax) + 1, this.#length - at);
    const octet = buffer[at] as number;
    switch (random.below(9)) {
      case 0:
        buffer[at] = octet ^ (1 << random.below(8));
        break;
      case 1:
        buffer[at] = random.pick(notableOctets);
        break;
      case 2:
        buffer[at] = octet + random.below(9) - 4;
        break;
      case 3:
        this.#remove(at, count);
        break;
      case 4:
        this.#insert(at, buffer.slice(at, at + count));
        break;
      case 5:
        this.#insert(
          at,
          Uint8Array.from({ length: random.below(8) + 1 }, () => random.below(256)),
        );
        break;
      case 6:
        this.#insert(at, part(random.pick(others), random));
        break;
      case 7:
        this.#overwrite(at, part(random.pick(others), random));
        break;
      default:
        this.#length = at;
    }
  }

  #insert(at: number, bytes: Uint8Array): void {
    const count = Math.min(bytes.length, this.#buffer.length - this.#length);
    this.#buffer.copyWithin(at + count, at, this.#length);
    this.#buffer.set(bytes.subarray(0, count), at);
    this.#length += count;
  }

  #remove(at: number, count: number): void {
    this.#buffer.copyWithin(at, at + count, this.#length);
    this.#length -= count;
  }

  #overwrite(at: number, bytes: Uint8Array): void {
    this.#buffer.set(bytes.subarray(0, this.#length - at), at);
  }
}

function part(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const from = random.below(bytes.length);
  return bytes.subarray(from, from + random.below(rangeBytesMax) + 1);
}
