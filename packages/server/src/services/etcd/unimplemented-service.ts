import { etcdserverpb } from "@raftkv/api";
import { RpcError, type ServiceImpl, StatusCode } from "@raftkv/raft-rpc";

type AuthMethods = ServiceImpl<typeof etcdserverpb.authService>;

const sentence = "raftkv: users and roles are not available in this version; keep the client port in a network that you trust";

/** `etcdserverpb.Auth`: says plainly that it is not there yet. */
export function authService(): AuthMethods {
  const refuse = (): never => {
    throw new RpcError(StatusCode.UNIMPLEMENTED, sentence);
  };
  return Object.fromEntries(Object.keys(etcdserverpb.authService.methods).map((name) => [name, refuse]));
}
