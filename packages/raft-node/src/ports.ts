/**
 * The five ports: everything through which RaftKV touches the world. The server gives real ones, the simulator simulated ones;
 * nothing else reads a clock, draws chance, opens a file or a socket, or writes a line.
 */

export interface Timer {
  /** May be called at any time, also after the timer fired. */
  cancel(): void;
}

export interface Clock {
  /** Never goes back. Milliseconds from an arbitrary start, with fractions. */
  monotonicMs(): number;
  /** Milliseconds since 1970, for people; no decision rests on it. */
  wallMs(): number;
  /** Calls `wake` once, not earlier than `delayMs` from now. */
  setTimer(delayMs: number, wake: () => void): Timer;
  /** Calls `wake` once, when the input that has already arrived is drained: the end of this event-loop turn. */
  atEndOfTurn(wake: () => void): void;
}

export interface Random {
  /** Uniform integer in [0, limit); `limit` is at most 2^32. */
  below(limit: number): number;
  bytes(count: number): Uint8Array;
}

/** A file of the Disk port. Every method rejects with a `DiskError`. Calls on one file may overlap. */
export interface DiskFile {
  sizeBytes(): Promise<number>;
  /**
   * Reads exactly `length` bytes, fewer only at the end of the file. They may come in `memory`, if it is that long: who reads much and keeps
   * nothing leaves less for the garbage collector.
   */
  read(offset: number, length: number, memory?: Uint8Array): Promise<Uint8Array>;
  /** Writes all chunks one after another from `offset`. The caller leaves them unchanged until it resolves. */
  write(offset: number, chunks: readonly Uint8Array[]): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  /** Data, and the size if it changed, are durable when it resolves. */
  sync(): Promise<void>;
  /**
   * Writes as `write` does; these bytes, and the size if it changed, are durable when it resolves: in one step where the disk can. What
   * else was written before is only sure to be durable after a `sync` of its own. If it rejects, any part may be written or lost.
   */
  writeDurably(offset: number, chunks: readonly Uint8Array[]): Promise<void>;
  close(): Promise<void>;
}

export interface DirectoryLock {
  release(): Promise<void>;
}

/** Directories are made 0700 and files 0600. A name that was created, renamed or removed is durable after `syncDirectory`. */
export interface Disk {
  makeDirectory(path: string): Promise<void>;
  /** Names in the directory, sorted; rejects with code `not-found` if there is none. */
  list(path: string): Promise<readonly string[]>;
  /** `create` fails if the name exists, the others if it does not. */
  open(path: string, mode: "create" | "read" | "write"): Promise<DiskFile>;
  /** Atomic within a directory; replaces `to`. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  /** Held by one process at a time; rejects with code `locked`. */
  lock(directory: string): Promise<DirectoryLock>;
}

export type DiskErrorCode = "not-found" | "not-a-directory" | "exists" | "locked" | "no-space" | "read-only" | "permission" | "io";

export class DiskError extends Error {
  override readonly name = "DiskError";
  readonly code: DiskErrorCode;
  readonly path: string;

  constructor(code: DiskErrorCode, path: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.path = path;
  }
}

export interface ConnectionHandlers {
  /** The bytes may be kept; nobody writes into them afterwards. */
  onData(bytes: Uint8Array): void;
  /** What was written has left; `write` may be used again. */
  onDrain(): void;
  /** Called once, whoever closed. Nothing is called afterwards. */
  onClose(error: Error | null): void;
}

/** An ordered stream of bytes in both directions. */
export interface Connection {
  /** `host:port` of the other end, for people. */
  readonly remoteAddress: string;
  /** Must be called in the turn in which the connection was handed out. May be called again to hand the connection on. */
  setHandlers(handlers: ConnectionHandlers): void;
  /** Takes the bytes in any case; false asks to stop until `onDrain`. The caller does not write into them afterwards. */
  write(bytes: Uint8Array): boolean;
  /** Stops and resumes `onData`. */
  pause(): void;
  resume(): void;
  /** Closes after what was written has left. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Listener {
  /** The port that was bound, if `port` 0 was asked. */
  readonly address: Address;
  /** Accepts nothing more; connections stay. */
  close(): Promise<void>;
}

export interface Network {
  /** Rejects with a NetworkError, code `address-in-use` among others. */
  listen(address: Address, onConnection: (connection: Connection) => void): Promise<Listener>;
  /** Rejects with a NetworkError if nobody answers within `timeoutMs`. */
  connect(address: Address, timeoutMs: number): Promise<Connection>;
}

export type NetworkErrorCode = "address-in-use" | "address-not-available" | "permission" | "refused" | "timed-out" | "unknown-host" | "io";

export class NetworkError extends Error {
  override readonly name = "NetworkError";
  readonly code: NetworkErrorCode;

  constructor(code: NetworkErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export type LogFields = Readonly<Record<string, unknown>>;

/** A line that is written late says by `atMs`, as `wallMs` counts, when it was true. */
export interface Logger {
  debug(message: string, fields?: LogFields, atMs?: number): void;
  info(message: string, fields?: LogFields, atMs?: number): void;
  warn(message: string, fields?: LogFields, atMs?: number): void;
  error(message: string, fields?: LogFields, atMs?: number): void;
}

/** All of them, as they are handed down from the composition root. */
export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly network: Network;
  readonly logger: Logger;
}
