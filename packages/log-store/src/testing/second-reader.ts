import { createHash } from "node:crypto";

/**
 * A second reader of a data directory, written after docs/log-format.md and sharing nothing with the first: it keeps that document
 * honest. It reads a directory that a store goes on with, and throws where that is not as the document says.
 */

/** What a sound directory says. */
export interface SecondReading {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly storeId: bigint;
  readonly term: bigint;
  readonly vote: bigint;
  readonly commitIndex: bigint;
  /** Index and term before the first entry. */
  readonly base: readonly [bigint, bigint];
  /** Index, term, kind and data in hex. */
  readonly entries: readonly (readonly [bigint, bigint, number, string])[];
  /** The snapshot in force; null if there is none. */
  readonly snapshot: SecondSnapshot | null;
}

export interface SecondSnapshot {
  readonly index: bigint;
  readonly term: bigint;
  readonly voters: readonly bigint[];
  readonly state: string;
  readonly digest: string;
}

/** Contents by path below the data directory. */
export type Files = ReadonlyMap<string, Buffer>;

export function readDirectoryAgain(files: Files): SecondReading {
  const meta = readMeta(need(files.get("meta"), "a meta file"));
  const segments = [...files]
    .filter(([path]) => /^wal\/[0-9a-f]{16}\.wal$/.test(path))
    .map(([path, bytes]) => readSegment(path, bytes, meta));
  const log = play(chainOf(segments));
  const { marks, commits, ...rest } = log;
  const mark = marks.at(-1);
  const inForce = mark !== undefined && mark.index >= meta.snapshotIndex ? mark : { index: meta.snapshotIndex, term: meta.snapshotTerm };
  // A log that begins at index 1 needs none; the one that it named may have been damaged.
  const isNeeded = inForce.index > 0n && (rest.base[0] > 0n || files.has(snapshotPath(inForce)));
  const snapshot = isNeeded ? readSnapshot(files, inForce, meta) : null;
  check(mark === undefined || snapshot === null || mark.digest === snapshot.digest, "the mark names the snapshot");
  const last = rest.base[0] + BigInt(rest.entries.length);
  const commitIndex = [...commits, snapshot?.index ?? 0n].reduce((a, b) => (a > b ? a : b), 0n);
  const { clusterId, memberId, storeId, term, vote } = meta;
  return { clusterId, memberId, storeId, term, vote, ...rest, commitIndex: commitIndex < last ? commitIndex : last, snapshot };
}

type Meta = ReturnType<typeof readMeta>;

function readMeta(bytes: Buffer) {
  check(bytes.length === 53_248, "a meta file has 53,248 bytes");
  const pairs = [0, 1].map((pair) =>
    [0, 16_384].map((at) => bytes.subarray(32_768 * pair + at, 32_768 * pair + at + 512)).filter((copy) => isMetaCopy(copy, pair)),
  );
  check(
    pairs.every((copies) => copies.length > 0),
    "each pair has a sound copy",
  );
  const newest = need(pairs.flat().sort((a, b) => Number(b.readBigUInt64LE(16) - a.readBigUInt64LE(16)))[0], "a copy of the meta record");
  check(newest.readUInt16LE(14) <= 1, "this version may open the directory");
  const u64 = (at: number): bigint => newest.readBigUInt64LE(at);
  return {
    clusterId: u64(24),
    memberId: u64(32),
    term: u64(40),
    vote: u64(48),
    snapshotIndex: u64(88),
    snapshotTerm: u64(96),
    storeId: u64(104),
  };
}

function isMetaCopy(copy: Buffer, pair: number): boolean {
  const isSound = copy.toString("latin1", 0, 8) === "RKVMETA1" && copy.readUInt32LE(8) === crc32c(copy.subarray(12));
  return isSound && copy.readBigUInt64LE(16) % 2n === BigInt(pair);
}

interface Frame {
  readonly crc: number;
  readonly previousCrc: number;
  readonly seq: bigint;
  readonly durableSeq: bigint;
  readonly index: bigint;
  readonly term: bigint;
  readonly type: number;
  readonly flags: number;
  readonly payload: Buffer;
  readonly end: number;
}

interface Segment {
  readonly number: bigint;
  /** Each ends in a COMMIT, or is a SEAL. */
  readonly batches: readonly (readonly Frame[])[];
}

function readSegment(path: string, bytes: Buffer, meta: Meta): Segment {
  const number = BigInt(`0x${path.slice(4, 20)}`);
  const headers = [0, 1].map((copy) => bytes.subarray(copy * 4_096, copy * 4_096 + 256));
  const header = need(
    headers.find(
      (copy, at) =>
        copy.toString("latin1", 0, 8) === "RKVSEG01" &&
        copy.readUInt32LE(8) === crc32c(copy.subarray(12)) &&
        copy.readUInt32LE(48) === at &&
        copy.readBigUInt64LE(32) === number,
    ),
    `a header in ${path}`,
  );
  check(header.readBigUInt64LE(16) === meta.clusterId && header.readBigUInt64LE(24) === meta.memberId, "the segment is the member's");
  check(header.readBigUInt64LE(80) === meta.storeId, "the segment is the store's");
  check(header.readUInt32LE(52) === 4_096 && header.readBigUInt64LE(56) === BigInt(bytes.length), "the segment has its size");
  const batches: Frame[][] = [];
  const salt = header.subarray(40, 48);
  for (let page = 8_192; page < bytes.length; ) {
    const batch = readIfSound(bytes, page, salt);
    if (batch === null) break;
    batches.push(batch);
    page = 4_096 * Math.ceil(need(batch.at(-1), "a frame").end / 4_096);
  }
  return { number, batches };
}

/** Null for a batch that is not sound or not there: what follows it is superseded, or the chain does not fit. */
function readIfSound(bytes: Buffer, start: number, salt: Buffer): Frame[] | null {
  try {
    return readBatch(bytes, start, salt);
  } catch (reason) {
    if (reason instanceof Contradiction) return null;
    throw reason;
  }
}

function readBatch(bytes: Buffer, start: number, salt: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = start; ; ) {
    const frame = readFrame(bytes, at, salt);
    const before = frames.at(-1);
    frames.push(frame);
    check(((frame.flags & 1) === 1) === (before === undefined), "the first frame of a batch has flag 1");
    if (before !== undefined) {
      check(frame.seq === before.seq + 1n && frame.previousCrc === before.crc, "frames follow each other");
      check(frame.durableSeq === before.durableSeq, "the frames of a batch agree on what was durable");
    }
    at = frame.end;
    const { type, flags, payload, seq } = frame;
    if (type === 2 || type === 3) {
      check(payload.toString("latin1", 40) === "RKVBATCH", "a batch ends in RKVBATCH");
      check(payload.readBigUInt64LE(0) === need(frames[0], "a frame").seq, "a batch names its first seq");
      check(payload.readUInt32LE(8) === (type === 2 ? frames.length - 1 : 1), "a batch counts its frames");
      check(type === 2 ? frames.length > 1 && flags === 2 : (flags & ~8) === 3 && seq === need(frames[0], "a frame").seq, "its flags fit");
      return frames;
    }
  }
}

function readFrame(bytes: Buffer, at: number, salt: Buffer): Frame {
  const header = bytes.subarray(at, at + 64);
  check(header.length === 64, "a frame lies within its file");
  check(header.toString("latin1", 0, 4) === "RKF1", `a frame begins at ${at}`);
  const crc = header.readUInt32LE(4);
  check(crc === crc32c(Buffer.concat([salt, header.subarray(8)])), `the header at ${at} is sound`);
  const length = header.readUInt32LE(8);
  const end = at + 64 + 8 * Math.ceil(length / 8);
  const padded = bytes.subarray(at + 64, end);
  check(header.readUInt32LE(12) === (length === 0 ? 0 : crc32c(padded)), `the payload at ${at} is sound`);
  check(header.readBigUInt64LE(56) === BigInt(at), "a frame names its offset");
  const [seq, durableSeq, index, term] = [16, 24, 32, 40].map((offset) => header.readBigUInt64LE(offset)) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  check(seq > durableSeq, "no frame is durable before it is written");
  const [type, flags] = [header.readUInt8(52), header.readUInt8(53)];
  return { crc, previousCrc: header.readUInt32LE(48), seq, durableSeq, index, term, type, flags, payload: padded.subarray(0, length), end };
}

/** The batches that count, oldest first: OPEN frames lead back from the newest segment that holds any. */
function chainOf(segments: readonly Segment[]): readonly (readonly Frame[])[] {
  const byNumber = new Map(segments.map((segment) => [segment.number, segment]));
  let batches: (readonly Frame[])[] = [];
  let segment = segments.filter(({ batches: own }) => own.length > 0).sort((a, b) => Number(b.number - a.number))[0];
  let last: { readonly seq: bigint; readonly crc: number } | null = null;
  while (segment !== undefined) {
    const limit: { readonly seq: bigint; readonly crc: number } | null = last;
    const own: readonly (readonly Frame[])[] = segment.batches.filter(
      (batch) => limit === null || need(batch.at(-1), "a frame").seq <= limit.seq,
    );
    const end = need(own.at(-1)?.at(-1), "the end of a segment");
    check(limit === null || (end.seq === limit.seq && end.crc === limit.crc), "the segment ends where the next one says");
    const open: Frame = need(own[0]?.[0], "the beginning of a segment");
    check(open.type === 6, "a segment begins with OPEN");
    batches = [...own, ...batches];
    last = { seq: open.payload.readBigUInt64LE(8), crc: open.previousCrc };
    segment = byNumber.get(open.payload.readBigUInt64LE(0));
  }
  return batches;
}

interface Mark {
  readonly index: bigint;
  readonly term: bigint;
  readonly digest: string;
}

function play(batches: readonly (readonly Frame[])[]) {
  let base: readonly [bigint, bigint] = [0n, 0n];
  let entries: (readonly [bigint, bigint, number, string])[] = [];
  const marks: Mark[] = [];
  const commits: bigint[] = [];
  for (const [at, frame] of batches.flat().entries()) {
    const { type, index, term, payload } = frame;
    if (type === 1) {
      check(index === base[0] + BigInt(entries.length) + 1n, "entries leave no gap");
      entries.push([index, term, payload.readUInt32LE(0), payload.toString("hex", 8)]);
    } else if (type === 4) {
      if (index < base[0]) base = [index, term];
      entries = entries.slice(0, Number(index - base[0]));
    } else if (type === 5) {
      marks.push({ index, term, digest: payload.toString("hex", 16, 48) });
    } else if (type === 6) {
      if (at > 0 && ![3, 5].includes(payload.readUInt32LE(32))) continue;
      base = [payload.readBigUInt64LE(16), payload.readBigUInt64LE(24)];
      check(index === base[0] && term === base[1], "OPEN stands at its base");
      entries = [];
    } else {
      check(index === base[0] + BigInt(entries.length), "the end of a batch names the last index");
      commits.push(payload.readBigUInt64LE(16));
    }
  }
  return { base, entries, marks, commits };
}

function snapshotPath({ index, term }: { readonly index: bigint; readonly term: bigint }): string {
  const [first, second] = [index, term].map((value) => value.toString(16).padStart(16, "0"));
  return `snap/${first}-${second}.snap`;
}

function readSnapshot(files: Files, { index, term }: { readonly index: bigint; readonly term: bigint }, meta: Meta): SecondSnapshot {
  const bytes = need(files.get(snapshotPath({ index, term })), "the snapshot in force");
  check(
    bytes.toString("latin1", 0, 8) === "RKVSNAP1" && bytes.readUInt32LE(8) === crc32c(bytes.subarray(12, 4_096)),
    "the header is sound",
  );
  const fields = [16, 24, 32, 40, 48].map((at) => bytes.readBigUInt64LE(at));
  check(String(fields) === String([meta.clusterId, meta.memberId, index, term, meta.storeId]), "the snapshot is what its name says");
  check(bytes.readUInt32LE(80) === 262_144, "chunks have 256 KiB");
  const voters = Array.from({ length: bytes.readUInt32LE(128) }, (_, at) => bytes.readBigUInt64LE(152 + 8 * at));
  const footer = bytes.subarray(-64);
  check(footer.toString("latin1", 0, 8) === "RKVSNEND" && footer.readUInt32LE(8) === crc32c(footer.subarray(12)), "the footer is sound");
  check(footer.readBigUInt64LE(24) === BigInt(bytes.length), "the footer names the size of the file");
  const digest = footer.toString("hex", 32);
  check(
    digest === createHash("sha256").update(bytes.subarray(0, -64)).digest("hex"),
    "the SHA-256 is that of everything before the footer",
  );
  const payloads: Buffer[] = [];
  let previousCrc = 0;
  for (let at = 4_096; at < bytes.length - 64; ) {
    const header = bytes.subarray(at, at + 32);
    const payload = bytes.subarray(at + 32, at + 32 + header.readUInt32LE(12));
    check(
      header.toString("latin1", 0, 4) === "RKC1" && header.readUInt32LE(4) === crc32c(header.subarray(8)),
      "a chunk has a sound header",
    );
    check(header.readUInt32LE(8) === payloads.length && header.readUInt32LE(20) === previousCrc, "chunks follow each other");
    check(header.readUInt32LE(16) === crc32c(payload) && header.readBigUInt64LE(24) === BigInt(at), "a chunk is sound and in its place");
    payloads.push(payload);
    previousCrc = header.readUInt32LE(4);
    at += 32 + 8 * Math.ceil(payload.length / 8);
  }
  const state = Buffer.concat(payloads);
  check(footer.readUInt32LE(12) === payloads.length && footer.readBigUInt64LE(16) === BigInt(state.length), "the footer counts the chunks");
  return { index, term, voters, state: state.toString("hex"), digest };
}

/** The bytes are not as the document has them. */
class Contradiction extends Error {}

/** Bit by bit, from the polynomial that the document names. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * 0x82f6_3b78);
  }
  return ~crc >>> 0;
}

function need<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new Contradiction(`The document asks for ${what}`);
  return value;
}

function check(isSo: boolean, sentence: string): void {
  if (!isSo) throw new Contradiction(`The document says that ${sentence}`);
}
