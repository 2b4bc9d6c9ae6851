import { type DescMethod, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type JsonValue } from "./json-value.ts";
import { messageFromJson } from "./message-reader.ts";
import { messageToJson } from "./message-writer.ts";

/** A method whose messages are written as JSON on one side and as protobuf on the other. */
export interface JsonMethod {
  /** `/etcdserverpb.KV/Range`. */
  readonly path: string;
  readonly kind: DescMethod["methodKind"];
  /** Throws JsonError for JSON that is no such request. */
  encodeRequest(json: JsonValue): Uint8Array;
  /** The bytes come from our own services. */
  responseToJson(message: Uint8Array): string;
}

/** Made from the descriptor alone: whatever the protocol gets, its JSON has, too. */
export function jsonMethod(method: DescMethod): JsonMethod {
  const { input, output } = method;
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    kind: method.methodKind,
    encodeRequest: (json) => toBinary(input, messageFromJson(input, json)),
    responseToJson: (message) => messageToJson(output, fromBinary(output, message)),
  };
}
