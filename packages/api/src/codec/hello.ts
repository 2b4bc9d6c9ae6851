import { CodecError } from "./codec-error.ts";
import type { ProtobufReader } from "./protobuf-reader.ts";
import type { ProtobufWriter } from "./protobuf-writer.ts";

/**
 * What travels on a stream between members: small messages on which elections, commits and reads wait (`urgent`), everything else
 * (`bulk`), one snapshot, or one call about leases.
 */
export type Lane = "bulk" | "urgent" | "snapshot" | "leases";

/** `raftkv.peer.v1.Hello`: the first frame of a stream, in both directions. */
export interface Hello {
  /** uint64. */
  readonly clusterId: bigint;
  readonly fromMember: bigint;
  readonly toMember: bigint;
  /** The newest the sender speaks, a uint32. */
  readonly protocolVersion: number;
  /** Of the sender, for people. */
  readonly name: string;
  /** Of the sender, a uint64: drawn at random when its data directory was made. */
  readonly storeId: bigint;
  /** Of this stream; the answer repeats it. */
  readonly lane: Lane;
}

const PROTOCOL_VERSION_MAX = 0xffff_ffff;

/** By number on the wire. */
const lanes: readonly (Lane | undefined)[] = [undefined, "bulk", "urgent", "snapshot", "leases"];

/** Writes the fields of a Hello, without its tag and length. Throws CodecError if it can't be written. */
export function writeHello(writer: ProtobufWriter, hello: Hello): void {
  if (hello.protocolVersion > PROTOCOL_VERSION_MAX) throw new CodecError(`Protocol version ${hello.protocolVersion} is above 2^32-1`);
  writer.fixed64Field(0x09, hello.clusterId);
  writer.fixed64Field(0x11, hello.fromMember);
  writer.fixed64Field(0x19, hello.toMember);
  writer.uintField(0x20, hello.protocolVersion);
  writer.stringField(0x2a, hello.name);
  writer.fixed64Field(0x31, hello.storeId);
  writer.uintField(0x38, lanes.indexOf(hello.lane));
}

/** Reads the Hello that was entered, to its end. Throws CodecError. */
export function readHello(reader: ProtobufReader): Hello {
  let clusterId = 0n;
  let fromMember = 0n;
  let toMember = 0n;
  let protocolVersion = 0;
  let name = "";
  let storeId = 0n;
  let laneNumber = 0;
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x09:
        clusterId = reader.fixed64();
        break;
      case 0x11:
        fromMember = reader.fixed64();
        break;
      case 0x19:
        toMember = reader.fixed64();
        break;
      case 0x20:
        protocolVersion = reader.int32() >>> 0;
        break;
      case 0x2a:
        name = reader.string();
        break;
      case 0x31:
        storeId = reader.fixed64();
        break;
      case 0x38:
        laneNumber = reader.int32();
        break;
      default:
        reader.skip(tag);
    }
  }
  const lane = lanes[laneNumber];
  if (lane === undefined) throw new CodecError(`Hello has lane ${laneNumber}, which is not known`);
  return { clusterId, fromMember, toMember, protocolVersion, name, storeId, lane };
}
