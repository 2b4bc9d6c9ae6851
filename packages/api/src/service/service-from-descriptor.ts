import { type DescMessage, type DescMethod, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";
import type { Codec, MethodDefinition, MethodKind } from "@raftkv/raft-rpc";

const kinds = {
  unary: "unary",
  server_streaming: "serverStreaming",
  client_streaming: "clientStreaming",
  bidi_streaming: "bidirectional",
} as const satisfies Readonly<Record<DescMethod["methodKind"], MethodKind>>;

type MethodOf<M extends GenServiceMethods[string]> = MethodDefinition<
  MessageShape<M["input"]>,
  MessageShape<M["output"]>,
  (typeof kinds)[M["methodKind"]]
>;

/** A `ServiceDefinition` whose methods keep the types of the generated service. */
export interface ServiceOf<Methods extends GenServiceMethods> {
  readonly typeName: string;
  readonly methods: { readonly [Name in keyof Methods]: MethodOf<Methods[Name]> };
}

/** Describes a generated service to raft-rpc. All messages are protobuf-es messages; 64-bit integers in them are bigints. */
export function serviceFromDescriptor<Methods extends GenServiceMethods>(service: GenService<Methods>): ServiceOf<Methods> {
  const methods: Record<string, MethodDefinition<unknown, unknown>> = {};
  for (const [localName, method] of Object.entries<DescMethod>(service.method)) {
    methods[localName] = {
      name: method.name,
      kind: kinds[method.methodKind],
      request: codecOf(method.input),
      response: codecOf(method.output),
    };
  }
  // The loop went over the same names that the type is made of.
  return { typeName: service.typeName, methods: methods as ServiceOf<Methods>["methods"] };
}

/** Bytes to a message of `schema` and back by protobuf-es. */
function codecOf<Schema extends DescMessage>(schema: Schema): Codec<MessageShape<Schema>> {
  return {
    encode: (message) => toBinary(schema, message),
    decode: (bytes) => fromBinary(schema, bytes),
  };
}
