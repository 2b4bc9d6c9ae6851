import { encodePutRequest } from "@raftkv/api";

const prefix = "raftkv-failover";
const trialDigits = 6;
const numberDigits = 8;

/** The puts of one trial, each of a key that is put once: a number from 0 names it. */
export class ProbeWrites {
  /** Number of the trial, from 1. */
  readonly trial: number;
  readonly #acknowledged = new Set<number>();
  #sent = 0;

  constructor(trial: number) {
    this.trial = trial;
  }

  get sent(): number {
    return this.#sent;
  }

  get acknowledged(): ReadonlySet<number> {
    return this.#acknowledged;
  }

  /** Number of a put that is sent now. */
  next(): number {
    return this.#sent++;
  }

  noteAcknowledged(number: number): void {
    this.#acknowledged.add(number);
  }

  key(number: number): Uint8Array {
    return Buffer.from(`${this.#keyPrefix}/${String(number).padStart(numberDigits, "0")}`, "latin1");
  }

  value(number: number): Uint8Array {
    return Buffer.from(`put ${number} of trial ${this.trial}`, "latin1");
  }

  /** The number in a key of this trial, or null: it is none of those that were sent. */
  numberOf(key: Uint8Array): number | null {
    const text = Buffer.from(key).toString("latin1");
    const number = Number(text.slice(-numberDigits));
    return Number.isSafeInteger(number) && number < this.#sent && Buffer.compare(this.key(number), key) === 0 ? number : null;
  }

  /** An encoded `etcdserverpb.PutRequest`. */
  request(number: number): Uint8Array {
    const [key, value] = [this.key(number), this.value(number)];
    return encodePutRequest({ key, value, lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false });
  }

  /** The half-open range that holds the keys of this trial and nothing else: "0" follows "/". */
  get range(): { readonly key: Uint8Array; readonly rangeEnd: Uint8Array } {
    return { key: Buffer.from(`${this.#keyPrefix}/`, "latin1"), rangeEnd: Buffer.from(`${this.#keyPrefix}0`, "latin1") };
  }

  get #keyPrefix(): string {
    return `${prefix}/${String(this.trial).padStart(trialDigits, "0")}`;
  }
}
