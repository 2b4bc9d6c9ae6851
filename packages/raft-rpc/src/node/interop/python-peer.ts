import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { methodPath } from "../../grpc/service-definition.ts";
import { messageBytesMax } from "./interop-cases.ts";
import { cancelDelayMs, type InteropCall, type InteropClient, type InteropOutcome } from "./interop-client.ts";
import { type InteropServer, interopHost } from "./interop-link.ts";
import { echoedInitial, echoedTrailing, interopService } from "./interop-service.ts";
import type { InteropTrust } from "./interop-trust.ts";

/** Debian's package belongs to Debian's Python, which need not be the first on the PATH. */
const candidates = ["python3", "/usr/bin/python3"];

/** The Python that has grpc, or null. */
export function findPythonWithGrpc(): string | null {
  return candidates.find((program) => spawnSync(program, ["-c", "import grpc"]).status === 0) ?? null;
}

const paths = Object.fromEntries(
  Object.entries(interopService.methods).map(([name, method]) => [name, methodPath(interopService, method)]),
);
const options = `[("grpc.max_receive_message_length", ${messageBytesMax}), ("grpc.max_send_message_length", ${messageBytesMax})]`;

/** The argument of both scripts: a JSON object with `port` and the paths of PEM files, empty where there are none. */
const prelude = `
import json, queue, sys, threading, time
from concurrent import futures
import grpc

def read(path):
    return open(path, "rb").read() if path else None

link = json.loads(sys.argv[1])
ca, cert, key = read(link["ca"]), read(link["cert"]), read(link["key"])
speaking = threading.Lock()
def say(value):
    with speaking:
        print(json.dumps(value), flush=True)
`;

const serverScript = `${prelude}
def as_asked(request, context):
    wanted = json.loads(request) if request else {}
    # In short naps: a thread that sleeps for a call which is over would be missing for the next.
    until = time.monotonic() + wanted.get("sleepMs", 0) / 1000
    while time.monotonic() < until and context.is_active():
        time.sleep(0.01)
    status = wanted.get("status")
    if status:
        context.abort([code for code in grpc.StatusCode if code.value[0] == status["code"]][0], status["message"])
    return wanted

def echo(context):
    for name, value in context.invocation_metadata():
        if name == "${echoedInitial}":
            context.send_initial_metadata(((name, value),))
        if name == "${echoedTrailing}":
            context.set_trailing_metadata(((name, value),))

def responses(wanted):
    return [b"r" * size for size in wanted.get("sizes", [])]

def unary(request, context):
    echo(context)
    return (responses(as_asked(request, context)) + [b""])[0]

def output(request, context):
    echo(context)
    yield from responses(as_asked(request, context))

def gather(requests, context):
    echo(context)
    return str(sum(len(as_asked(request, context).get("body", "")) for request in requests)).encode()

def duplex(requests, context):
    echo(context)
    for request in requests:
        yield from responses(as_asked(request, context))

handlers = {
    "${paths["unaryCall"]}": grpc.unary_unary_rpc_method_handler(unary),
    "${paths["streamingOutputCall"]}": grpc.unary_stream_rpc_method_handler(output),
    "${paths["streamingInputCall"]}": grpc.stream_unary_rpc_method_handler(gather),
    "${paths["fullDuplexCall"]}": grpc.stream_stream_rpc_method_handler(duplex),
}

class Service(grpc.GenericRpcHandler):
    def service(self, details):
        return handlers.get(details.method)

server = grpc.server(futures.ThreadPoolExecutor(max_workers=32), options=${options})
server.add_generic_rpc_handlers((Service(),))
address = "${interopHost}:0"
if cert is None:
    port = server.add_insecure_port(address)
else:
    port = server.add_secure_port(address, grpc.ssl_server_credentials(((key, cert),), ca, ca is not None))
server.start()
say({"port": port})
sys.stdin.read()
server.stop(0)
`;

const clientScript = `${prelude}
address = "${interopHost}:%d" % link["port"]
if ca is None:
    channel = grpc.insecure_channel(address, options=${options})
else:
    channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(ca, key, cert), options=${options})

def encode(request):
    return json.dumps(request).encode() if request else b""

def run(call):
    may_send, wanted = threading.Semaphore(1), [encode(request) for request in call["requests"]]
    cancel_after, ping_pong, ended = call.get("cancelAfter"), call.get("pingPong", False), threading.Event()
    def requests():
        for request in wanted:
            if ping_pong:
                may_send.acquire()
            yield request
        if cancel_after is not None:
            ended.wait()
    kind = call["kind"]
    factory = {"unary": channel.unary_unary, "clientStreaming": channel.stream_unary,
               "serverStreaming": channel.unary_stream, "bidirectional": channel.stream_stream}[kind]
    has_one_response = kind in ("unary", "clientStreaming")
    multi = factory(call["path"])
    begin = multi.future if has_one_response else multi
    metadata = []
    if "echo" in call:
        metadata = [("${echoedInitial}", call["echo"]["initial"]), ("${echoedTrailing}", bytes(call["echo"]["trailing"]))]
    timeout = call["timeoutMs"] / 1000 if "timeoutMs" in call else None
    running = begin(wanted[0] if kind in ("unary", "serverStreaming") else requests(), timeout=timeout, metadata=metadata)
    answers = []
    if cancel_after == 0:
        threading.Timer(${cancelDelayMs} / 1000, running.cancel).start()
    try:
        if has_one_response:
            answers.append(running.result())
        else:
            for answer in running:
                answers.append(answer)
                may_send.release()
                if len(answers) == cancel_after:
                    running.cancel()
    except (grpc.RpcError, grpc.FutureCancelledError):
        pass
    ended.set()
    code = running.code()
    initial = dict(running.initial_metadata() or ())
    trailing = dict(running.trailing_metadata() or ()).get("${echoedTrailing}")
    last = answers[-1] if answers else b""
    return {
        "code": code.value[0],
        "message": running.details() or "" if code != grpc.StatusCode.OK else "",
        "sizes": [len(answer) for answer in answers],
        "text": last.decode() if len(last) <= 100 else "",
        "initial": initial.get("${echoedInitial}"),
        "trailing": None if trailing is None else list(trailing),
    }

for line in sys.stdin:
    order = json.loads(line)
    def answer(order=order):
        say({"id": order["id"], "outcome": run(order["call"])})
    threading.Thread(target=answer, daemon=True).start()
`;

function startPython(program: string, script: string, link: object): ChildProcess {
  return spawn(program, ["-c", script, JSON.stringify(link)], { stdio: ["pipe", "pipe", "inherit"] });
}

function files(trust: InteropTrust | null, own: { readonly certFile: string; readonly keyFile: string } | null | undefined): object {
  return { ca: trust?.authority.caFile ?? "", cert: own?.certFile ?? "", key: own?.keyFile ?? "" };
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.stdin?.end();
  child.kill("SIGKILL");
  await exit;
}

/** gRPC's C library by Python, as a server. Rejects if it does not start. */
export async function openPythonServer(program: string, trust: InteropTrust | null): Promise<InteropServer> {
  // The server of a client without a certificate must not ask for one.
  const link = files(trust, trust?.server);
  const child = startPython(program, serverScript, trust?.client === null ? { ...link, ca: "" } : link);
  const { port } = await new Promise<{ readonly port: number }>((resolve, reject) => {
    child.once("close", () => reject(new Error("Python's server did not start")));
    createInterface({ input: child.stdout ?? process.stdin }).once("line", (line) =>
      resolve(JSON.parse(line) as { readonly port: number }),
    );
  });
  return { port, close: () => ended(child) };
}

/** gRPC's C library by Python, as a client. */
export class PythonInteropClient implements InteropClient {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (outcome: InteropOutcome) => void>();
  #lastId = 0;

  constructor(program: string, port: number, trust: InteropTrust | null) {
    this.#child = startPython(program, clientScript, { port, ...files(trust, trust?.client) });
    createInterface({ input: this.#child.stdout ?? process.stdin }).on("line", (line) => {
      const { id, outcome } = JSON.parse(line) as { readonly id: number; readonly outcome: InteropOutcome };
      this.#waiting.get(id)?.(outcome);
      this.#waiting.delete(id);
    });
  }

  call(call: InteropCall): Promise<InteropOutcome> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.stdin?.write(`${JSON.stringify({ id, call })}\n`);
    });
  }

  close(): Promise<void> {
    return ended(this.#child);
  }
}
