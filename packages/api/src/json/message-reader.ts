import { create, type DescEnum, type DescField, type DescMessage, type MessageShape, ScalarType } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { fromBase64 } from "./base64.ts";
import { parseJson } from "./json-parser.ts";
import { JsonError, JsonNumber, type JsonObject, type JsonValue } from "./json-value.ts";

/**
 * A message from JSON as etcd takes it: fields by their own name or in lowerCamelCase, unknown ones are passed over, `null` is as if absent,
 * integers as numbers or strings, enums as names or numbers, bytes in base64. Throws JsonError with the words of etcd's gateway.
 */
export function messageFromJson<Schema extends DescMessage>(schema: Schema, value: JsonValue): MessageShape<Schema> {
  const message = create(schema);
  if (value !== null) fill(reflect(schema, message), objectOf(value));
  return message;
}

function fill(message: ReflectMessage, members: JsonObject): void {
  for (const field of message.fields) {
    const value = members.get(field.jsonName) ?? members.get(field.name) ?? null;
    if (value === null) continue;
    if (field.oneof !== undefined && message.oneofCase(field.oneof) !== undefined) {
      throw new JsonError(`oneof ${message.desc.typeName}.${field.oneof.name} is already set, ${field.name} is too much`);
    }
    fillField(message, field, value);
  }
}

function fillField(message: ReflectMessage, field: DescField, value: JsonValue): void {
  switch (field.fieldKind) {
    case "scalar":
      return message.set(field, scalarOf(field.scalar, value));
    case "enum":
      return message.set(field, enumOf(field.enum, value));
    case "message":
      return message.set(field, nestedOf(field.message, value));
    case "list": {
      if (!isList(value)) throw mismatch(value, "[]json.RawMessage");
      const list = message.get(field);
      for (const item of value) list.add(itemOf(field, item));
      return;
    }
    case "map":
      throw new JsonError(`field ${field.name} is a map, which no request of this API has`);
    default:
      return field satisfies never;
  }
}

function itemOf(field: DescField & { fieldKind: "list" }, value: JsonValue): unknown {
  switch (field.listKind) {
    case "scalar":
      return scalarOf(field.scalar, value);
    case "enum":
      return enumOf(field.enum, value);
    case "message":
      return nestedOf(field.message, value);
    default:
      return field satisfies never;
  }
}

function nestedOf(schema: DescMessage, value: JsonValue): ReflectMessage {
  const members = objectOf(value);
  const nested = reflect(schema);
  fill(nested, members);
  return nested;
}

function objectOf(value: JsonValue): JsonObject {
  if (value instanceof Map) return value;
  throw mismatch(value, "map[string]json.RawMessage");
}

function scalarOf(type: ScalarType, value: JsonValue): unknown {
  switch (type) {
    case ScalarType.BYTES:
      if (typeof value !== "string") throw mismatch(value, "[]uint8");
      return fromBase64(value);
    case ScalarType.STRING:
      if (typeof value !== "string") throw mismatch(value, "string");
      return wellFormed(value);
    case ScalarType.BOOL:
      if (typeof value !== "boolean") throw mismatch(value, "bool");
      return value;
    case ScalarType.INT64:
      return integerOf(value, { goType: "int64", min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case ScalarType.UINT64:
      return integerOf(value, { goType: "uint64", min: 0n, max: 2n ** 64n - 1n });
    case ScalarType.INT32:
      return Number(integerOf(value, int32));
    case ScalarType.UINT32:
      return Number(integerOf(value, { goType: "uint32", min: 0n, max: 2n ** 32n - 1n }));
    default:
      throw new JsonError(`a field has the type ${ScalarType[type]}, which no request of this API has`);
  }
}

/** Halves of surrogate pairs, which have no UTF-8, become U+FFFD, as in Go. */
function wellFormed(text: string): string {
  return /[\ud800-\udfff]/.test(text) ? Buffer.from(text).toString() : text;
}

interface IntegerType {
  readonly goType: string;
  readonly min: bigint;
  readonly max: bigint;
}

const int32: IntegerType = { goType: "int32", min: -(2n ** 31n), max: 2n ** 31n - 1n };

function integerOf(value: JsonValue, { goType, min, max }: IntegerType): bigint {
  // What stands in the quotes is read as JSON of its own.
  const number = typeof value === "string" ? parseJson(value) : value;
  if (number === null) return 0n;
  if (!(number instanceof JsonNumber)) throw mismatch(number, goType);
  const integer = /^-?\d+$/.test(number.literal) ? BigInt(number.literal) : null;
  if (integer === null || integer < min || integer > max) {
    throw new JsonError(`json: cannot unmarshal number ${number.literal} into Go value of type ${goType}`);
  }
  return integer;
}

function enumOf(desc: DescEnum, value: JsonValue): number {
  if (typeof value !== "string") return Number(integerOf(value, { ...int32, goType: goNameOf(desc) }));
  const known = desc.values.find(({ name }) => name === value);
  if (known === undefined) throw new JsonError(`unknown value ${JSON.stringify(value)} for enum ${goNameOf(desc)}`);
  return known.number;
}

/** `etcdserverpb.RangeRequest_SortOrder`. */
function goNameOf(desc: DescEnum): string {
  const { package: name } = desc.file.proto;
  return `${name}.${desc.typeName.slice(name.length + 1).replaceAll(".", "_")}`;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function mismatch(value: JsonValue, goType: string): JsonError {
  return new JsonError(`json: cannot unmarshal ${kindOf(value)} into Go value of type ${goType}`);
}

function kindOf(value: JsonValue): string {
  if (value === null) return "null";
  if (value instanceof JsonNumber) return "number";
  if (value instanceof Map) return "object";
  if (isList(value)) return "array";
  return typeof value === "boolean" ? "bool" : "string";
}
