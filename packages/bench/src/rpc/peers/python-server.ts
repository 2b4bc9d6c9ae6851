import { spawnSync } from "node:child_process";
import { streamPath, unaryPath } from "../echo-service.ts";

/** A Python that has gRPC need not be the first on the PATH: Debian's package belongs to Debian's Python. */
const candidates = ["python3", "/usr/bin/python3"];

/** gRPC's C library by its Python binding, speaking as `answerLines` does. */
export const pythonServerScript = `
import asyncio, json, sys, grpc

answered = 0

async def unary(request, context):
    global answered
    answered += 1
    return request

async def stream(requests, context):
    global answered
    async for request in requests:
        answered += 1
        yield request

class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method == "${unaryPath}":
            return grpc.unary_unary_rpc_method_handler(unary)
        if details.method == "${streamPath}":
            return grpc.stream_stream_rpc_method_handler(stream)
        return None

async def main():
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Echo(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(json.dumps({"port": port}), flush=True)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while await lines.readline():
        print(json.dumps({"answered": answered, "allocatedBytes": None}), flush=True)

asyncio.run(main())
`;

/** The Python that has gRPC, and its version; null if there is none. */
export function findPythonWithGrpc(): { readonly program: string; readonly version: string } | null {
  for (const program of candidates) {
    const { status, stdout } = spawnSync(program, ["-c", "import grpc; print(grpc.__version__)"], { encoding: "utf8" });
    if (status === 0) return { program, version: stdout.trim() };
  }
  return null;
}
