import { type DescEnum, type DescField, type DescMessage, type MessageShape, ScalarType } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { toBase64 } from "./base64.ts";

/**
 * A message as JSON as etcd writes it: fields by their own names in the order of the definition, without those that are zero or absent;
 * integers of 64 bits as strings, enums as names, bytes in base64.
 */
export function messageToJson<Schema extends DescMessage>(schema: Schema, message: MessageShape<Schema>): string {
  return write(reflect(schema, message));
}

function write(message: ReflectMessage): string {
  let text = "";
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    text += `${text === "" ? "" : ","}"${field.name}":${writeField(message, field)}`;
  }
  return `{${text}}`;
}

function writeField(message: ReflectMessage, field: DescField): string {
  switch (field.fieldKind) {
    case "scalar":
      return writeScalar(field.scalar, message.get(field));
    case "enum":
      return writeEnum(field.enum, message.get(field));
    case "message":
      return write(message.get(field));
    case "list":
      return `[${Array.from(message.get(field), (item) => writeItem(field, item)).join(",")}]`;
    case "map":
      throw new Error(`Field ${field.name} is a map, which no response of this API has`);
    default:
      return field satisfies never;
  }
}

function writeItem(field: DescField & { fieldKind: "list" }, item: unknown): string {
  switch (field.listKind) {
    case "scalar":
      return writeScalar(field.scalar, item);
    case "enum":
      return writeEnum(field.enum, Number(item));
    case "message":
      // A list of messages gives them wrapped.
      return write(item as ReflectMessage);
    default:
      return field satisfies never;
  }
}

function writeScalar(type: ScalarType, value: unknown): string {
  if (value instanceof Uint8Array) return `"${toBase64(value)}"`;
  if (type === ScalarType.INT64 || type === ScalarType.UINT64) return `"${String(value)}"`;
  return JSON.stringify(value);
}

/** A number that has no name stays a number. */
function writeEnum(desc: DescEnum, value: number): string {
  const name = desc.value[value]?.name;
  return name === undefined ? String(value) : `"${name}"`;
}
