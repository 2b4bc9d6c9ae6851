import { assertNever } from "../assert.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { StatusCode } from "../grpc/status.ts";
import type { StreamCall, StreamCallHandlers } from "../server/call.ts";
import type { Dispatcher } from "../server/dispatcher.ts";
import type { DescriptorRegistry } from "./descriptor-registry.ts";
import type { FileDescriptor } from "./file-descriptor.ts";
import { type ReflectionAnswer, type ReflectionQuestion, readReflectionRequest, writeReflectionResponse } from "./reflection-messages.ts";

/** Older clients know the second name only. */
const servicePaths = [
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
] as const;

/**
 * Adds gRPC's server reflection, v1 and v1alpha: clients that know nothing beforehand (grpcurl and others) see the dispatcher's services and
 * the descriptors of the registry. It shows what can be called to everybody who can call.
 */
export function addReflection(dispatcher: Dispatcher, registry: DescriptorRegistry): void {
  for (const path of servicePaths) {
    dispatcher.addStream(path, (call) => call.setHandlers(new ReflectionCall(call, dispatcher, registry)));
  }
}

/** One client's questions, answered one by one; it reads one answer before the next is made, if they are large. */
class ReflectionCall implements StreamCallHandlers {
  readonly #call: StreamCall;
  readonly #dispatcher: Dispatcher;
  readonly #registry: DescriptorRegistry;
  /** Names of files that the client has. */
  readonly #sent = new Set<string>();

  constructor(call: StreamCall, dispatcher: Dispatcher, registry: DescriptorRegistry) {
    this.#call = call;
    this.#dispatcher = dispatcher;
    this.#registry = registry;
  }

  onMessage(message: Uint8Array): void {
    const { host, question } = readRequest(message);
    const hasRoom = this.#call.send(writeReflectionResponse(host, message, this.#answer(question)));
    if (!hasRoom) this.#call.pause();
  }

  onDrain(): void {
    this.#call.resume();
  }

  onEnd(): void {
    this.#call.end();
  }

  onCancel(): void {
    // Nothing is under way.
  }

  #answer(question: ReflectionQuestion): ReflectionAnswer {
    switch (question.kind) {
      case "fileByFilename":
        return this.#files(this.#registry.file(question.name), `file ${question.name}`);
      case "fileContainingSymbol":
        return this.#files(this.#registry.fileOfSymbol(question.symbol), `symbol ${question.symbol}`);
      case "fileContainingExtension": {
        const { extendee, number } = question;
        return this.#files(this.#registry.fileOfExtension(extendee, number), `extension ${number} of ${extendee}`);
      }
      case "allExtensionNumbersOfType": {
        const { extendee } = question;
        const numbers = this.#registry.extensionNumbers(extendee);
        return numbers === null ? notFound(`type ${extendee}`) : { kind: "extensionNumbers", extendee, numbers };
      }
      case "listServices":
        return { kind: "services", names: this.#dispatcher.serviceNames().sort() };
      case "unknown":
        return { kind: "error", code: StatusCode.INVALID_ARGUMENT, message: "request has no known question" };
      default:
        return assertNever(question);
    }
  }

  /** The file that was asked for in any case; of what it needs only what the client does not have. */
  #files(root: FileDescriptor | undefined, what: string): ReflectionAnswer {
    if (root === undefined) return notFound(what);
    const files = this.#registry.withDependencies(root, this.#sent);
    for (const { name } of files) this.#sent.add(name);
    return { kind: "files", files: files.map(({ bytes }) => bytes) };
  }
}

function notFound(what: string): ReflectionAnswer {
  return { kind: "error", code: StatusCode.NOT_FOUND, message: `${what} is not known` };
}

function readRequest(message: Uint8Array): ReturnType<typeof readReflectionRequest> {
  try {
    return readReflectionRequest(message);
  } catch (cause) {
    throw new RpcError(StatusCode.INTERNAL, "grpc: error unmarshalling request", { cause });
  }
}
