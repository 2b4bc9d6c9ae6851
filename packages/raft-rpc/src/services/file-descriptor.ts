import { type ProtobufField, readProtobuf, textOf } from "../grpc/protobuf-fields.ts";

/** An extension field that a file declares. */
export interface DeclaredExtension {
  /** Full name of the extended message. */
  readonly extendee: string;
  readonly number: number;
}

/** What reflection has to know of a `google.protobuf.FileDescriptorProto`. */
export interface FileDescriptor {
  readonly name: string;
  readonly dependencies: readonly string[];
  /** Full names of everything that the file declares: messages, fields, enums, their values, services, methods, extensions. */
  readonly symbols: readonly string[];
  readonly extensions: readonly DeclaredExtension[];
  /** As it was given. */
  readonly bytes: Uint8Array;
}

/** Field numbers of descriptor.proto. */
const fileField = { name: 1, package: 2, dependency: 3, message: 4, enum: 5, service: 6, extension: 7 } as const;
const messageField = { field: 2, message: 3, enum: 4, extension: 6, oneof: 8 } as const;
const enumField = { value: 2 } as const;
const serviceField = { method: 2 } as const;
const extensionField = { name: 1, extendee: 2, number: 3 } as const;
/** Of every descriptor but the file's. */
const nameField = 1;
/** Messages in messages; far more than anybody writes. */
const depthMax = 64;

/** Reads the bytes of a FileDescriptorProto. Throws RangeError for what is none. */
export function readFileDescriptor(bytes: Uint8Array): FileDescriptor {
  const fields = [...readProtobuf(bytes)];
  const name = fieldText(fields, fileField.name);
  if (name === "") throw new RangeError("File descriptor has no name");
  const declarations = new Declarations();
  const scope = fieldText(fields, fileField.package);
  for (const field of fields) {
    if (field.bytes === null) continue;
    if (field.field === fileField.message) declarations.message(field.bytes, scope, 0);
    else if (field.field === fileField.enum) declarations.enum(field.bytes, scope);
    else if (field.field === fileField.service) declarations.service(field.bytes, scope);
    else if (field.field === fileField.extension) declarations.extension(field.bytes, scope);
  }
  const dependencies = fields.filter(({ field }) => field === fileField.dependency).map(textOf);
  return { name, dependencies, symbols: declarations.symbols, extensions: declarations.extensions, bytes };
}

/** Collects the names of a file, each in its scope. */
class Declarations {
  readonly symbols: string[] = [];
  readonly extensions: DeclaredExtension[] = [];

  message(bytes: Uint8Array, scope: string, depth: number): void {
    if (depth > depthMax) throw new RangeError(`Messages stand more than ${depthMax} deep in one another`);
    const fields = [...readProtobuf(bytes)];
    const name = this.#declare(fields, scope);
    for (const field of fields) {
      if (field.bytes === null) continue;
      if (field.field === messageField.field || field.field === messageField.oneof) this.#declare([...readProtobuf(field.bytes)], name);
      else if (field.field === messageField.message) this.message(field.bytes, name, depth + 1);
      else if (field.field === messageField.enum) this.enum(field.bytes, name);
      else if (field.field === messageField.extension) this.extension(field.bytes, name);
    }
  }

  /** Values of an enum stand beside it, as in C++: their scope is the enum's own. */
  enum(bytes: Uint8Array, scope: string): void {
    const fields = [...readProtobuf(bytes)];
    this.#declare(fields, scope);
    for (const field of fields) {
      if (field.field === enumField.value && field.bytes !== null) this.#declare([...readProtobuf(field.bytes)], scope);
    }
  }

  service(bytes: Uint8Array, scope: string): void {
    const fields = [...readProtobuf(bytes)];
    const name = this.#declare(fields, scope);
    for (const field of fields) {
      if (field.field === serviceField.method && field.bytes !== null) this.#declare([...readProtobuf(field.bytes)], name);
    }
  }

  extension(bytes: Uint8Array, scope: string): void {
    const fields = [...readProtobuf(bytes)];
    this.#declare(fields, scope);
    const number = fields.find(({ field }) => field === extensionField.number)?.number ?? 0;
    // Names of types begin with a dot when they are complete, as compilers write them.
    this.extensions.push({ extendee: fieldText(fields, extensionField.extendee).replace(/^\./, ""), number });
  }

  #declare(fields: readonly ProtobufField[], scope: string): string {
    const name = fieldText(fields, nameField);
    const fullName = scope === "" ? name : `${scope}.${name}`;
    this.symbols.push(fullName);
    return fullName;
  }
}

function fieldText(fields: readonly ProtobufField[], number: number): string {
  const found = fields.find(({ field }) => field === number);
  return found === undefined ? "" : textOf(found);
}
