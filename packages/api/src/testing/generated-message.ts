import { create, type DescField, type DescMessage, type MessageInitShape, type MessageShape, ScalarType } from "@bufbuild/protobuf";

/** What a codec by hand makes, whatever its type. */
export type Plain = Readonly<Record<string, unknown>>;

/** Takes fields over by name: integers become bigints where the field has 64 bits, null and all-zero headers are left out. */
export function messageOf<D extends DescMessage>(schema: D, plain: Plain): MessageShape<D> {
  const init: Record<string, unknown> = {};
  for (const field of schema.fields) {
    const value = plain[field.localName];
    if (value === undefined || value === null || (field.localName === "header" && isZeroHeader(value as Plain))) continue;
    init[field.localName] = Array.isArray(value) ? value.map((element) => fieldValue(field, element)) : fieldValue(field, value);
  }
  return create(schema, init as MessageInitShape<D>);
}

function fieldValue(field: DescField, value: unknown): unknown {
  if (field.message !== undefined) return messageOf(field.message, value as Plain);
  const is64Bit = field.scalar === ScalarType.INT64 || field.scalar === ScalarType.UINT64;
  return is64Bit && typeof value === "number" ? BigInt(value) : value;
}

function isZeroHeader(plain: Plain): boolean {
  return Object.values(plain).every((value) => value === 0 || value === 0n);
}

/** The message of a oneof: the case is found by the field's name, its fields are taken from `plain`. */
export function oneofOf<D extends DescMessage>(schema: D, oneof: string, caseName: string, plain: Plain): MessageShape<D> {
  const field = schema.fields.find((candidate) => candidate.localName === caseName);
  if (field === undefined) throw new Error(`${schema.typeName} has no field ${caseName}`);
  const value = field.message === undefined ? plain["bytes"] : messageOf(field.message, plain);
  return create(schema, { [oneof]: { case: caseName, value } } as MessageInitShape<D>);
}

/** For messages whose plain objects have the same names. */
export function byName<D extends DescMessage>(schema: D): (plain: object) => MessageShape<D> {
  return (plain) => messageOf(schema, plain as Plain);
}
