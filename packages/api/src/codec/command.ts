import { CodecError } from "./codec-error.ts";
import type { DeleteRangeRequest, PutRequest } from "./etcd-message.ts";
import { decodeDeleteRangeRequest, decodePutRequest } from "./etcd-request.ts";
import { emptyBytes, ProtobufReader } from "./protobuf-reader.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";
import { decodeKeyRequest, decodeKeyValueRequest, type KeyRequest, type KeyValueRequest } from "./raftkv-message.ts";

/** `raftkv.command.v1.MemberAttributes`: what a member tells about itself when it has started. */
export interface MemberAttributes {
  /** uint64. */
  readonly memberId: bigint;
  readonly name: string;
  readonly clientUrls: readonly string[];
  /** uint64: drawn at random when the member's data directory was made. */
  readonly storeId: bigint;
}

/** `raftkv.command.v1.Command`: what a log entry of kind `command` holds. */
export type Command =
  | { readonly type: "put"; readonly request: PutRequest }
  | { readonly type: "deleteRange"; readonly request: DeleteRangeRequest }
  | { readonly type: "create"; readonly request: KeyValueRequest }
  | { readonly type: "update"; readonly request: KeyValueRequest }
  | { readonly type: "remove"; readonly request: KeyRequest }
  | { readonly type: "memberAttributes"; readonly attributes: MemberAttributes };

/** A command that this version does not know: a newer member has proposed it, and skipping it would split the members. */
export class UnknownCommandError extends Error {
  override readonly name = "UnknownCommandError";
}

/** The commands that carry a client's request. */
export type RequestCommandType = Exclude<Command["type"], "memberAttributes">;

const PUT_TAG = 0x0a;
const DELETE_RANGE_TAG = 0x12;
const CREATE_TAG = 0x1a;
const UPDATE_TAG = 0x22;
const REMOVE_TAG = 0x2a;
const MEMBER_ATTRIBUTES_TAG = 0x32;

const requestTags: Readonly<Record<RequestCommandType, number>> = {
  put: PUT_TAG,
  deleteRange: DELETE_RANGE_TAG,
  create: CREATE_TAG,
  update: UPDATE_TAG,
  remove: REMOVE_TAG,
};

const COMMAND_HEAD_BYTES_MAX = 16;

const reader = new ProtobufReader();
const writer = new ProtobufWriter();

/**
 * Makes a command of a request as it came from the client: a tag and a length in front of the same bytes. `request` must have been
 * decoded once without an error. Commands share chunks with commands only: they live about as long as their neighbours in the log.
 *
 * ```
 *   │ tag 1 B │ length 1-5 B │ request, copied unchanged │
 * ```
 */
export function encodeRequestCommand(type: RequestCommandType, request: Uint8Array): Uint8Array {
  writer.begin(request.length + COMMAND_HEAD_BYTES_MAX);
  writer.bytesElement(requestTags[type], request);
  return writer.finish();
}

export function encodeMemberAttributesCommand(attributes: MemberAttributes): Uint8Array {
  writer.begin(0);
  writer.open(MEMBER_ATTRIBUTES_TAG, 1);
  writer.fixed64Field(0x09, attributes.memberId);
  writer.stringField(0x12, attributes.name);
  for (const url of attributes.clientUrls) writer.stringElement(0x1a, url);
  writer.fixed64Field(0x21, attributes.storeId);
  writer.close();
  return writer.finish();
}

/** Keys and values are views into `bytes`. Throws CodecError if they are malformed, UnknownCommandError for a command of a newer version. */
export function decodeCommand(bytes: Uint8Array): Command {
  let commandTag = 0;
  let body = emptyBytes;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    if (commandTag !== 0) throw new CodecError(`Command holds field ${tag >>> 3} after field ${commandTag >>> 3}, one is allowed`);
    if ((tag & 7) !== 2) throw new CodecError(`Command of field ${tag >>> 3} has wire type ${tag & 7}, 2 is expected`);
    commandTag = tag;
    body = reader.bytes();
  }
  reader.release();
  switch (commandTag) {
    case PUT_TAG:
      return { type: "put", request: decodePutRequest(body) };
    case DELETE_RANGE_TAG:
      return { type: "deleteRange", request: decodeDeleteRangeRequest(body) };
    case CREATE_TAG:
      return { type: "create", request: decodeKeyValueRequest(body) };
    case UPDATE_TAG:
      return { type: "update", request: decodeKeyValueRequest(body) };
    case REMOVE_TAG:
      return { type: "remove", request: decodeKeyRequest(body) };
    case MEMBER_ATTRIBUTES_TAG:
      return { type: "memberAttributes", attributes: readMemberAttributes(body) };
    case 0:
      throw new CodecError(`Command of ${bytes.length} bytes is empty`);
    default:
      throw new UnknownCommandError(`Command of field ${commandTag >>> 3} is not known, it needs a newer version`);
  }
}

function readMemberAttributes(bytes: Uint8Array): MemberAttributes {
  let memberId = 0n;
  let name = "";
  const clientUrls: string[] = [];
  let storeId = 0n;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x09:
        memberId = reader.fixed64();
        break;
      case 0x12:
        name = reader.string();
        break;
      case 0x1a:
        clientUrls.push(reader.string());
        break;
      case 0x21:
        storeId = reader.fixed64();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.release();
  return { memberId, name, clientUrls, storeId };
}
