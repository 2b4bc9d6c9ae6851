import { type ProtobufField, ProtobufWriter, readProtobuf, textOf } from "../grpc/protobuf-fields.ts";
import type { StatusCode } from "../grpc/status.ts";

/** The question in a `ServerReflectionRequest`; v1 and v1alpha have the same messages. */
export type ReflectionQuestion =
  | { readonly kind: "fileByFilename"; readonly name: string }
  | { readonly kind: "fileContainingSymbol"; readonly symbol: string }
  | { readonly kind: "fileContainingExtension"; readonly extendee: string; readonly number: number }
  | { readonly kind: "allExtensionNumbersOfType"; readonly extendee: string }
  | { readonly kind: "listServices" }
  | { readonly kind: "unknown" };

export type ReflectionAnswer =
  | { readonly kind: "files"; readonly files: readonly Uint8Array[] }
  | { readonly kind: "extensionNumbers"; readonly extendee: string; readonly numbers: readonly number[] }
  | { readonly kind: "services"; readonly names: readonly string[] }
  | { readonly kind: "error"; readonly code: StatusCode; readonly message: string };

export interface ReflectionRequest {
  readonly host: string;
  readonly question: ReflectionQuestion;
}

/** Throws RangeError for what is no message. Of several questions the last counts, as of any `oneof`. */
export function readReflectionRequest(message: Uint8Array): ReflectionRequest {
  let host = "";
  let question: ReflectionQuestion = { kind: "unknown" };
  for (const field of readProtobuf(message)) {
    if (field.field === 1) host = textOf(field);
    else question = readQuestion(field) ?? question;
  }
  return { host, question };
}

function readQuestion(field: ProtobufField): ReflectionQuestion | null {
  switch (field.field) {
    case 3:
      return { kind: "fileByFilename", name: textOf(field) };
    case 4:
      return { kind: "fileContainingSymbol", symbol: textOf(field) };
    case 5:
      return readExtension(field.bytes ?? new Uint8Array(0));
    case 6:
      return { kind: "allExtensionNumbersOfType", extendee: textOf(field) };
    case 7:
      return { kind: "listServices" };
    default:
      return null;
  }
}

function readExtension(message: Uint8Array): ReflectionQuestion {
  let extendee = "";
  let number = 0;
  for (const field of readProtobuf(message)) {
    if (field.field === 1) extendee = textOf(field);
    else if (field.field === 2) number = field.number;
  }
  return { kind: "fileContainingExtension", extendee, number };
}

/** A `ServerReflectionResponse` to the request whose bytes and host these are. */
export function writeReflectionResponse(host: string, request: Uint8Array, answer: ReflectionAnswer): Uint8Array {
  const response = new ProtobufWriter().text(1, host).bytes(2, request);
  switch (answer.kind) {
    case "files":
      return response.bytes(4, writeList(answer.files)).finish();
    case "extensionNumbers": {
      const numbers = new ProtobufWriter().text(1, answer.extendee);
      for (const number of answer.numbers) numbers.number(2, number);
      return response.bytes(5, numbers.finish()).finish();
    }
    case "services":
      return response.bytes(6, writeList(answer.names.map((name) => new ProtobufWriter().text(1, name).finish()))).finish();
    case "error":
      return response.bytes(7, new ProtobufWriter().number(1, answer.code).text(2, answer.message).finish()).finish();
  }
}

function writeList(elements: readonly Uint8Array[]): Uint8Array {
  const list = new ProtobufWriter();
  for (const element of elements) list.bytes(1, element);
  return list.finish();
}
