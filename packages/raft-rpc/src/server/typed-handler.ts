import { RpcError } from "../grpc/rpc-error.ts";
import type { Codec } from "../grpc/service-definition.ts";
import { StatusCode } from "../grpc/status.ts";
import type { CallContext } from "./service-impl.ts";

/** A handler of a ServiceImpl, after its types were checked there. */
export type TypedHandler = (request: unknown, call: CallContext) => unknown;

/** Decodes what a typed handler gets. Throws RpcError INTERNAL, as grpc-go answers, for bytes that are no message of the type. */
export function decodeRequest(codec: Codec<unknown>, bytes: Uint8Array): unknown {
  try {
    return codec.decode(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RpcError(StatusCode.INTERNAL, `grpc: error unmarshalling request: ${reason}`, { cause: error });
  }
}
