import { decodeBase64, encodeBase64 } from "./base64.ts";

/** Text, or bytes for names that end in `-bin`. */
export type MetadataValue = string | Uint8Array;

const namePattern = /^[0-9a-z_.-]+$/;
const valuePattern = /^[\x20-\x7e]*$/;
/** Names that the protocol itself uses (gRPC PROTOCOL-HTTP2); `host` and the connection headers are not HTTP/2's. */
const reservedNames: ReadonlySet<string> = new Set([
  "te",
  "content-type",
  "content-length",
  "host",
  "connection",
  "proxy-connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
]);

/** Is this header the protocol's own, so that it is not part of the metadata? */
export function isReservedHeader(name: string): boolean {
  return name.startsWith("grpc-") || name.startsWith(":") || reservedNames.has(name);
}

/** Key-value pairs beside the messages of a call: a list, in which a name may stand several times. Names are lower case. */
export class Metadata {
  readonly #names: string[] = [];
  readonly #values: MetadataValue[] = [];

  /** `Metadata.of({ token: "x" })`. */
  static of(entries: Readonly<Record<string, MetadataValue>>): Metadata {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(entries)) metadata.append(name, value);
    return metadata;
  }

  /** Another with the same pairs. */
  copy(): Metadata {
    const copy = new Metadata();
    copy.#names.push(...this.#names);
    copy.#values.push(...this.#values);
    return copy;
  }

  get size(): number {
    return this.#names.length;
  }

  /** Throws RangeError for a name or value that cannot be sent; text is printable ASCII, bytes need a name in `-bin`. */
  append(name: string, value: MetadataValue): void {
    const key = name.toLowerCase();
    if (!namePattern.test(key)) throw new RangeError(`Metadata name ${JSON.stringify(name)} is not made of 0-9 a-z _ - .`);
    if (isReservedHeader(key)) throw new RangeError(`Metadata name ${key} is reserved`);
    if (key.endsWith("-bin") !== value instanceof Uint8Array) {
      throw new RangeError(`Metadata ${key} needs ${key.endsWith("-bin") ? "bytes" : "text"}`);
    }
    if (typeof value === "string" && (!valuePattern.test(value) || value !== value.trim())) {
      throw new RangeError(`Metadata ${key} has a value that is not printable ASCII without outer spaces`);
    }
    this.#names.push(key);
    this.#values.push(value);
  }

  /** The first text of the name. */
  get(name: string): string | undefined {
    const value = this.#find(name);
    return typeof value === "string" ? value : undefined;
  }

  /** The first bytes of a name that ends in `-bin`. */
  getBytes(name: string): Uint8Array | undefined {
    const value = this.#find(name);
    return typeof value === "string" ? undefined : value;
  }

  getAll(name: string): readonly MetadataValue[] {
    return this.#values.filter((_, place) => this.#names[place] === name);
  }

  *[Symbol.iterator](): IterableIterator<readonly [string, MetadataValue]> {
    for (const [place, name] of this.#names.entries()) yield [name, this.#values[place] ?? ""];
  }

  /** Calls `write` with each pair as it stands on the wire: `-bin` values in base64 without padding. */
  writeHeaders(write: (name: string, value: string) => void): void {
    for (const [name, value] of this) write(name, typeof value === "string" ? value : encodeBase64(value));
  }

  /**
   * Takes a received header. Several `-bin` values may be joined by commas (PROTOCOL-HTTP2). False if the base64 is broken.
   * Received values are not checked against the send rules: they are opaque.
   */
  appendHeader(name: string, value: string): boolean {
    if (!name.endsWith("-bin")) {
      this.#names.push(name);
      this.#values.push(value);
      return true;
    }
    for (const part of value.split(",")) {
      const bytes = decodeBase64(part.trim());
      if (bytes === null) return false;
      this.#names.push(name);
      this.#values.push(bytes);
    }
    return true;
  }

  #find(name: string): MetadataValue | undefined {
    const place = this.#names.indexOf(name);
    return place < 0 ? undefined : this.#values[place];
  }
}

/** Metadata that belongs to someone else: of a request, it is shared by all requests with the same header block. */
export type ReadonlyMetadata = Pick<Metadata, "size" | "get" | "getBytes" | "getAll" | "writeHeaders" | typeof Symbol.iterator>;
